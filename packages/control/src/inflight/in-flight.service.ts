/** What all proxies are serving now, and its being ended. */
import { isId, MAX_IN_FLIGHT, type InFlight } from '@millrace/shared'

import { requireGoodKey } from '../access/good-key.ts'
import type { Scope } from '../access/scope.ts'
import { writeAuditEvent } from '../audit/write.ts'
import type { Database, Em } from '../db/database.ts'
import { joined } from '../db/joined.ts'
import { notFound } from '../graphql/errors.ts'
import type { Actor } from '../revisions/change.ts'
import type { Questions } from './questions.ts'

/** For each of its two questions: who wants a request's end wants to be told what has become of it. */
const CANCEL_WAIT_MS = 3_000

/** Those who want to know the same. */
interface Lookers {
  count: number
  readonly look: () => Promise<InFlight[]>
}

export class InFlightService {
  readonly #database: Database
  readonly #questions: Questions
  /** By the projects that they see. */
  readonly #lookers = new Map<string, Lookers>()

  constructor(database: Database, questions: Questions) {
    this.#database = database
    this.#questions = questions
  }

  /**
   * Of what a key sees, the {@link MAX_IN_FLIGHT} that run longest, these first. However many ask at the same time, proxies
   * are asked once at a time.
   */
  async list(scope: Scope): Promise<InFlight[]> {
    const projects = projectsOf(scope)
    const key = String(projects)
    const lookers = this.#lookers.get(key) ?? { count: 0, look: joined(() => this.#ask(projects)) }
    this.#lookers.set(key, lookers)
    lookers.count++
    try {
      return (await lookers.look()).filter(({ projectId }) => scope.isOwn(projectId))
    } finally {
      if (--lookers.count === 0) this.#lookers.delete(key)
    }
  }

  /**
   * Ends a request, on whichever proxy it is. What the key does not see is not there.
   * @returns whether it was being served, and was ended by this
   * @throws GraphQLError NOT_FOUND for what is no id
   */
  async cancel(actor: Actor, id: string): Promise<boolean> {
    if (!isId(id)) throw notFound('request')
    const request = id.toLowerCase()
    const found = await this.#find(actor.scope, request)
    if (found === null) return false
    // What is to be ended is known, and audited, before it is.
    const within = <T>(work: (em: Em) => Promise<T>): Promise<T> =>
      this.#database.em().transactional(async (em) => {
        await requireGoodKey(em, actor)
        await writeAuditEvent(em, actor, {
          action: 'cancelRequest',
          subject: `request ${request}`,
          projectId: found.projectId,
          details: { requestId: found.requestId, token: found.tokenId, model: found.model, proxy: found.proxyId },
        })
        return work(em)
      })
    const answers = await this.#questions.ask(
      { request, projects: null, cancel: true, test: null },
      { isEnough: ({ cancelled }) => cancelled, proxies: [found.proxyId], waitMs: CANCEL_WAIT_MS, within },
    )
    return answers.some(({ cancelled }) => cancelled)
  }

  async #find(scope: Scope, request: string): Promise<InFlight | null> {
    const answers = await this.#questions.ask(
      { request, projects: projectsOf(scope), cancel: false, test: null },
      { isEnough: ({ inFlight }) => inFlight.length > 0, waitMs: CANCEL_WAIT_MS },
    )
    const found = answers.flatMap(({ inFlight }) => inFlight).find(({ id }) => id === request)
    return found !== undefined && scope.isOwn(found.projectId) ? found : null
  }

  async #ask(projects: string[] | null): Promise<InFlight[]> {
    const answers = await this.#questions.ask({ request: null, projects, cancel: false, test: null })
    return answers
      .flatMap(({ inFlight }) => inFlight)
      .sort(byStart)
      .slice(0, MAX_IN_FLIGHT)
  }
}

function projectsOf({ projects }: Scope): string[] | null {
  return projects && [...projects].sort()
}

/** By their proxies' clocks. */
function byStart(one: InFlight, other: InFlight): number {
  if (one.startedAt === other.startedAt) return one.id < other.id ? -1 : 1
  return one.startedAt < other.startedAt ? -1 : 1
}
