/** What was spent and used, by the records that are stored. */
import { MAX_USED_SUBJECTS, roundedUp, type UsedOf, type UsedSubject } from '@millrace/shared'
import * as z from 'zod'

import type { Database } from '../db/database.ts'
import { badInput } from '../graphql/errors.ts'
import { idText, readInput } from '../graphql/input.ts'
import { daysOf } from './window.ts'

const subjectsInput = z.array(
  z.object({
    id: idText,
    window: z
      .string()
      .refine((window) => daysOf(window) !== null, 'must be a day (2026-11-20), a month (2026-11) or total')
      .nullish()
      .transform((window) => window ?? null),
  }),
)

/** What a token or a project has used. A project has nothing but `spentUsd`. */
export interface Used {
  /** The sum of what its records in the window cost, to the last decimal. */
  readonly spentUsd: string
  /** Those that count towards its quota. */
  readonly requests: number
  readonly cacheHits: number
  /** When the last request with a good key of its began. */
  readonly lastUsedAt: Date | null
}

/** An upstream key, as attempts name it. */
export interface UsedCredential {
  readonly providerId: string
  readonly fingerprint: string
}

const USED = `
  select spent, coalesce(requests, 0)::double precision as requests,
    coalesce(cache_hits, 0)::double precision as "cacheHits", last_used_at as "lastUsedAt"
  from jsonb_to_recordset(?::jsonb) as asked (place integer, id uuid, "from" date, "to" date)
  left join token_use on token_id = id
  cross join lateral (
    select coalesce(trim_scale(sum(spent)), 0)::text as spent
    from subject_spend where subject_id = id and day between "from" and "to"
  ) as sums
  order by place`

const CREDENTIALS_USED = `
  select last_used_at as "lastUsedAt"
  from jsonb_to_recordset(?::jsonb) as asked (place integer, "providerId" uuid, fingerprint text)
  left join credential_use on provider_id = "providerId" and credential_use.fingerprint = asked.fingerprint
  order by place`

interface Row {
  readonly spent: string
  readonly requests: number
  readonly cacheHits: number
  readonly lastUsedAt: string | null
}

export class SpendingService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Of each subject, by id. @param subjects one of an id */
  async used(subjects: readonly UsedSubject[]): Promise<Map<string, Used>> {
    const all = await this.usedInOrder(subjects)
    return new Map(subjects.map(({ id }, place) => [id, all[place]!]))
  }

  /**
   * What proxies are told.
   * @throws GraphQLError BAD_USER_INPUT for too many, what is no id, or no window
   */
  async answer(given: readonly UsedSubject[]): Promise<UsedOf[]> {
    if (given.length > MAX_USED_SUBJECTS) throw badInput('subjects', `must be at most ${MAX_USED_SUBJECTS}`)
    const subjects = readInput(subjectsInput, given, 'subjects')
    const all = await this.usedInOrder(subjects)
    return subjects.map((subject, place) => {
      const { spentUsd, requests } = all[place]!
      return { ...subject, spentUsd: roundedUp(spentUsd), requests }
    })
  }

  /** When the last request that each was tried for began, to the minute; null: none. In the order in which they are given. */
  async credentialsUsed(credentials: readonly UsedCredential[]): Promise<(Date | null)[]> {
    if (credentials.length === 0) return []
    const asked = credentials.map(({ providerId, fingerprint }, place) => ({ place, providerId, fingerprint }))
    const rows = await this.#database.em().execute<Pick<Row, 'lastUsedAt'>[]>(CREDENTIALS_USED, [JSON.stringify(asked)])
    return rows.map(({ lastUsedAt }) => toDate(lastUsedAt))
  }

  /** In the order in which they are given. */
  async usedInOrder(subjects: readonly UsedSubject[]): Promise<Used[]> {
    if (subjects.length === 0) return []
    const asked = subjects.map(({ id, window }, place) => ({ place, id, ...(window === null ? null : daysOf(window)) }))
    const rows = await this.#database.em().execute<Row[]>(USED, [JSON.stringify(asked)])
    return rows.map(({ spent, requests, cacheHits, lastUsedAt }) => ({
      spentUsd: spent,
      requests,
      cacheHits,
      lastUsedAt: toDate(lastUsedAt),
    }))
  }
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text)
}
