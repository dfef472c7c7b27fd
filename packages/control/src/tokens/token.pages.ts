/** Tokens out of the database, newest first. */
import { raw } from '@mikro-orm/core'
import { isId } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { idText, pageSize, readInput, searchText } from '../graphql/input.ts'
import { likePattern } from '../graphql/search.ts'
import { Token } from './token.entity.ts'
import { toToken, type TokenStatus, type TokenType } from './token.type.ts'

export interface TokenQuery {
  readonly project: string | null
  readonly status: TokenStatus | null
  /** In the name or the prefix. */
  readonly search: string | null
  readonly first: number | null
  readonly after: string | null
}

/** Of a token with a quota: whether it is used up. Of the rows that the page walks over, one is looked up in the other table. */
const usedUp = (not: '' | 'not ') =>
  raw(
    (token) =>
      `${not}exists (select from token_use where token_use.token_id = ${token}.id and token_use.requests >= ${token}.max_requests)`,
  )

/** @throws GraphQLError BAD_USER_INPUT for what can't be looked for */
export async function tokenPage(em: Em, query: TokenQuery): Promise<Page<TokenType>> {
  const first = readInput(pageSize, query.first ?? 50, 'first')
  const conditions: object[] = [ofStatus(query.status)]
  if (query.project !== null) conditions.push({ project: readInput(idText, query.project, 'project') })
  if (query.search) {
    const pattern = likePattern(readInput(searchText, query.search, 'search'))
    conditions.push({ $or: [{ name: { $ilike: pattern } }, { prefix: { $ilike: pattern } }] })
  }
  if (query.after !== null) conditions.push({ id: { $lt: decodeCursor('tokens', query.after, isId)[0]! } })
  // By id, which sorts by the time it was made.
  const rows = await em.find(Token, { $and: conditions }, { orderBy: { id: 'desc' }, limit: first + 1 })
  return pageOf(rows, first, query.after, ({ id }) => encodeCursor('tokens', id), toToken)
}

/** As the token's own `status` says it: the first that holds of REVOKED, EXPIRED, EXHAUSTED, else ACTIVE. */
function ofStatus(status: TokenStatus | null): object {
  const now = new Date()
  const good = { revokedAt: null, $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }] }
  switch (status) {
    case 'REVOKED':
      return { revokedAt: { $ne: null } }
    case 'EXPIRED':
      return { revokedAt: null, expiresAt: { $lte: now } }
    case 'EXHAUSTED':
      return { $and: [good, { maxRequests: { $ne: null } }, { [usedUp('')]: [] }] }
    case 'ACTIVE':
      return { $and: [good, { $or: [{ maxRequests: null }, { [usedUp('not ')]: [] }] }] }
    case null:
      return {}
  }
}
