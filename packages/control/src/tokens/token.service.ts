import { flag, isId, newId, newSecret, TOKEN_PREFIX } from '@millrace/shared'
import * as z from 'zod'

import type { Database } from '../db/database.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { futureDate, idText, smallObject, nameText, pageSize, readInput, searchText } from '../graphql/input.ts'
import { merged, type JsonObject } from '../graphql/merge.ts'
import { requireRow } from '../graphql/rows.ts'
import { likePattern } from '../graphql/search.ts'
import { Project } from '../projects/project.entity.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import { Token } from './token.entity.ts'
import {
  toToken,
  type CreateTokenInput,
  type TokenStatus,
  type TokenType,
  type UpdateTokenInput,
} from './token.type.ts'

const accessPatch = z.object({ ownKeys: flag.nullish() }).nullish()
const createInput = z.object({
  name: nameText,
  project: z.string(),
  expiresAt: futureDate.nullish(),
  access: accessPatch,
  metadata: smallObject.nullish(),
})
const updateInput = z.object({
  name: nameText.optional(),
  expiresAt: futureDate.nullish(),
  access: accessPatch,
  metadata: smallObject.nullish(),
})

export interface TokenQuery {
  readonly project: string | null
  readonly status: TokenStatus | null
  /** In the name or the prefix. */
  readonly search: string | null
  readonly first: number | null
  readonly after: string | null
}

/** A new token, and its secret, which is kept nowhere. */
export interface IssuedToken {
  readonly token: Token
  readonly secret: string
}

/** Clients' keys. */
export class TokenService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Newest first. */
  async page(query: TokenQuery): Promise<Page<TokenType>> {
    const first = readInput(pageSize, query.first ?? 50, 'first')
    const conditions: object[] = [statusCondition(query.status)]
    if (query.project !== null) {
      conditions.push({ project: readInput(idText, query.project, 'project') })
    }
    if (query.search) {
      const pattern = likePattern(readInput(searchText, query.search, 'search'))
      conditions.push({ $or: [{ name: { $ilike: pattern } }, { prefix: { $ilike: pattern } }] })
    }
    if (query.after !== null) conditions.push({ id: { $lt: decodeCursor(query.after, isId)[0]! } })
    // By id, which sorts by the time it was made.
    const rows = await this.#database
      .em()
      .find(Token, { $and: conditions }, { orderBy: { id: 'desc' }, limit: first + 1 })
    return pageOf(rows, first, query.after, ({ id }) => encodeCursor(id), toToken)
  }

  create(actor: Actor, input: CreateTokenInput): Promise<IssuedToken> {
    return changeConfiguration(this.#database, actor, 'createToken', (change) => this.add(change, input))
  }

  /** As {@link create}, within a change under way. */
  async add(change: Change, given: CreateTokenInput): Promise<IssuedToken> {
    const input = readInput(createInput, given)
    const project = await requireRow(change.em, Project, input.project, 'project', 'input.project')
    const { secret, prefix, digest } = newSecret(TOKEN_PREFIX)
    const token = Object.assign(new Token(), {
      id: newId(),
      project: project.id,
      name: input.name,
      prefix,
      digest,
      expiresAt: input.expiresAt ?? null,
      access: merged({}, input.access),
      metadata: input.metadata ?? null,
      revokedAt: null,
    })
    change.em.persist(token)
    change.projectId = project.id
    change.created(subjectOf(token), describe(token))
    return { token, secret }
  }

  update(actor: Actor, id: string, given: UpdateTokenInput): Promise<Token> {
    const input = readInput(updateInput, given)
    return changeConfiguration(this.#database, actor, 'updateToken', async (change) => {
      const token = await requireRow(change.em, Token, id, 'token')
      const before = describe(token)
      if (input.name !== undefined) token.name = input.name
      if (input.expiresAt !== undefined) token.expiresAt = input.expiresAt
      token.access = merged(token.access, input.access)
      if (input.metadata !== undefined) {
        token.metadata = input.metadata && mergedMetadata(token.metadata, input.metadata)
      }
      change.projectId = token.project
      change.updated(subjectOf(token), before, describe(token))
      return token
    })
  }

  /** For good. Revoking it again changes nothing. */
  revoke(actor: Actor, id: string): Promise<Token> {
    return changeConfiguration(this.#database, actor, 'revokeToken', async (change) => {
      const token = await requireRow(change.em, Token, id, 'token')
      const before = describe(token)
      token.revokedAt ??= new Date()
      change.projectId = token.project
      change.updated(subjectOf(token), before, describe(token))
      return token
    })
  }
}

function mergedMetadata(stored: JsonObject | null, patch: JsonObject): JsonObject {
  return readInput(smallObject, merged(stored ?? {}, patch), 'input.metadata')
}

function statusCondition(status: TokenStatus | null): object {
  const now = new Date()
  switch (status) {
    case 'REVOKED':
      return { revokedAt: { $ne: null } }
    case 'EXPIRED':
      return { revokedAt: null, expiresAt: { $lte: now } }
    case 'ACTIVE':
      return { revokedAt: null, $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }] }
    case null:
      return {}
  }
}

function subjectOf({ id, name }: Token): Subject {
  return { kind: 'token', name, identity: { id } }
}

function describe({ prefix, name, project, expiresAt, access, metadata, revokedAt }: Token): Description {
  return { prefix, name, project, expiresAt, access, metadata, revoked: revokedAt !== null }
}
