import { newId, newSecret, TOKEN_PREFIX } from '@millrace/shared'

import type { Scope } from '../access/scope.ts'
import { scoped } from '../access/scoped.ts'
import type { Database } from '../db/database.ts'
import type { Page } from '../graphql/connections.ts'
import { conflict } from '../graphql/errors.ts'
import { readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { describeAccess, mergedAccess } from '../limits/access.input.ts'
import { mergedLimited, UNLIMITED } from '../limits/limits.input.ts'
import { Project } from '../projects/project.entity.ts'
import { changeConfiguration, type Actor, type Change } from '../revisions/change.ts'
import type { Description, Subject } from '../revisions/difference.ts'
import { retire } from './rotation.ts'
import { Token } from './token.entity.ts'
import { createTokenInput, graceSeconds, mergedMetadata, updateTokenInput } from './token.input.ts'
import { tokenPage, type TokenQuery } from './token.pages.ts'
import type { BulkRevocation, CreateTokenInput, TokenType, UpdateTokenInput } from './token.type.ts'

/** A token and its new secret, which is kept nowhere. */
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
  page(scope: Scope, query: TokenQuery): Promise<Page<TokenType>> {
    return tokenPage(scoped(this.#database.em(), scope), query)
  }

  create(actor: Actor, input: CreateTokenInput): Promise<IssuedToken> {
    return changeConfiguration(this.#database, actor, 'createToken', (change) => this.add(change, input))
  }

  /** As {@link create}, within a change under way. */
  async add(change: Change, given: CreateTokenInput): Promise<IssuedToken> {
    const input = readInput(createTokenInput, given)
    const project = await requireRow(change.em, Project, input.project, 'project', 'input.project')
    const { secret, prefix, digest } = newSecret(TOKEN_PREFIX)
    const token = Object.assign(new Token(), {
      id: newId(),
      project: project.id,
      name: input.name,
      prefix,
      digest,
      retired: [],
      expiresAt: input.expiresAt ?? null,
      maxRequests: input.maxRequests ?? null,
      ...mergedLimited(UNLIMITED, input),
      access: mergedAccess({}, input.access),
      metadata: mergedMetadata(null, input.metadata),
      revokedAt: null,
    })
    change.em.persist(token)
    change.projectId = project.id
    change.created(subjectOf(token), describe(token))
    return { token, secret }
  }

  update(actor: Actor, id: string, given: UpdateTokenInput): Promise<Token> {
    const input = readInput(updateTokenInput, given)
    return this.#change(actor, 'updateToken', id, (token) => {
      if (input.name !== undefined) token.name = input.name
      if (input.expiresAt !== undefined) token.expiresAt = input.expiresAt
      if (input.maxRequests !== undefined) token.maxRequests = input.maxRequests
      Object.assign(token, mergedLimited(token, input))
      token.access = mergedAccess(token.access, input.access)
      token.metadata = mergedMetadata(token.metadata, input.metadata)
    })
  }

  /**
   * A new secret for it; the one until now works for so many seconds more, as do those from before for what is left of theirs.
   * @throws GraphQLError CONFLICT if it is revoked
   */
  async rotate(actor: Actor, id: string, requested: number): Promise<IssuedToken> {
    const grace = readInput(graceSeconds, requested, 'graceSeconds')
    const { secret, prefix, digest } = newSecret(TOKEN_PREFIX)
    const token = await this.#change(actor, 'rotateToken', id, (rotated) => {
      if (rotated.revokedAt !== null) throw conflict('the token is revoked')
      rotated.retired = retire(rotated.retired, rotated, Date.now(), grace)
      rotated.prefix = prefix
      rotated.digest = digest
    })
    return { token, secret }
  }

  /** For good, with the secrets that were replaced. Revoking it again changes nothing. */
  revoke(actor: Actor, id: string): Promise<Token> {
    return this.#change(actor, 'revokeToken', id, (token) => {
      token.revokedAt ??= new Date()
    })
  }

  /** All tokens of a project, in one change. */
  revokeOfProject(actor: Actor, projectId: string): Promise<BulkRevocation> {
    return changeConfiguration(this.#database, actor, 'revokeProjectTokens', async (change) => {
      const { id, name } = await requireRow(change.em, Project, projectId, 'project', 'project')
      const [row] = await change.em.execute<{ revoked: number; total: number }[]>(
        `with revoked as (
           update token set revoked_at = statement_timestamp(), updated_at = statement_timestamp()
           where project_id = ? and revoked_at is null returning id
         )
         select (select count(*) from revoked)::integer as revoked,
           (select count(*) from token where project_id = ?)::integer as total`,
        [id, id],
      )
      const { revoked, total } = row!
      const subject = { kind: 'tokens', name, identity: { id }, owners: [id] }
      change.projectId = id
      change.updated(subject, { revoked: total - revoked }, { revoked: total })
      return { revoked, alreadyRevoked: total - revoked, total }
    })
  }

  #change(actor: Actor, action: string, id: string, work: (token: Token) => void): Promise<Token> {
    return changeConfiguration(this.#database, actor, action, async (change) => {
      const token = await requireRow(change.em, Token, id, 'token')
      const before = describe(token)
      work(token)
      change.projectId = token.project
      change.updated(subjectOf(token), before, describe(token))
      return token
    })
  }
}

function subjectOf({ id, name, project }: Token): Subject {
  return { kind: 'token', name, identity: { id }, owners: [project] }
}

/** Without digests. */
function describe(token: Token): Description {
  const { prefix, retired, name, project, expiresAt, maxRequests, limits, budget, access, metadata, revokedAt } = token
  return {
    prefix,
    replaced: retired.map((secret) => ({ prefix: secret.prefix, until: secret.until })),
    name,
    project,
    expiresAt,
    maxRequests,
    limits,
    budget,
    access: describeAccess(access),
    metadata,
    revoked: revokedAt !== null,
  }
}
