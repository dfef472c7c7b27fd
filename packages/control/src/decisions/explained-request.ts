/** The request that is to be explained, as a proxy would see it. */
import {
  bodyFacts,
  estimateTokens,
  readMetadata,
  type ErrorCode,
  type RequestFacts,
  type SnapshotProject,
  type SnapshotToken,
} from '@millrace/shared'
import * as z from 'zod'

import type { Scope } from '../access/scope.ts'
import { badInput, notFound, notThere } from '../graphql/errors.ts'
import { idText, readInput, searchText, storableObject } from '../graphql/input.ts'
import { accessRefusal, type AskedFor } from './access.ts'
import type { Configuration } from './configuration.ts'
import type { ExplainRouteInput } from './explain.type.ts'

const headers = storableObject.pipe(z.record(z.string(), z.string('must be a text')))

const schema = z.object({
  model: searchText.min(1, 'must not be empty'),
  endpoint: searchText.nullish(),
  token: idText.nullish(),
  project: idText.nullish(),
  userKey: searchText.nullish(),
  conversationKey: searchText.nullish(),
  headers: headers.nullish(),
  body: storableObject.nullish(),
  configRevision: z.int().nullish(),
})

const DEFAULT_ENDPOINT = '/v1/chat/completions'

export type ExplainedInput = z.output<typeof schema>

export interface ExplainedRequest {
  readonly facts: RequestFacts
  readonly asked: AskedFor
  /** The upstream key that the client brings itself, and the name of the provider that it is for, if one is named. */
  readonly ownKey: { readonly provider: string | null } | null
  /** Why proxies would refuse it before they look at routes; null: they would not. */
  readonly refusal: ErrorCode | null
}

/** @throws GraphQLError BAD_USER_INPUT */
export function readExplainInput(input: ExplainRouteInput): ExplainedInput {
  return readInput(schema, input)
}

/** @throws GraphQLError NOT_FOUND for a token or a project that the configuration doesn't have, or the key doesn't see */
export function requestOf(scope: Scope, input: ExplainedInput, configuration: Configuration): ExplainedRequest {
  const { token, project } = senderOf(scope, input, configuration)
  const fields = new Map(Object.entries(input.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  const header = (name: string): string | null => fields.get(name) ?? null
  const body: Readonly<Record<string, unknown>> = input.body ?? {}
  const endpoint = input.endpoint ?? DEFAULT_ENDPOINT
  const { maxTokens, tools, images, stream, user, conversation } = bodyFacts(endpoint, body)
  const inputTokens = estimateTokens(input.body ? Buffer.byteLength(JSON.stringify(body)) : 0)
  const facts: RequestFacts = {
    endpoint,
    stream,
    model: input.model,
    tokenId: token?.id ?? null,
    tokenName: token?.name ?? null,
    projectId: project?.id ?? null,
    projectName: project?.name ?? null,
    // Of Millrace's own headers an empty one is none.
    user: input.userKey || header('x-millrace-user') || user,
    conversation: input.conversationKey || header('x-millrace-conversation') || conversation,
    metadata: readMetadata(header('x-millrace-metadata')),
    header,
    maxTokens: () => maxTokens,
    hasTools: () => tools,
    hasImages: () => images,
    estimatedInputTokens: () => inputTokens,
  }
  const bringsKey = token?.access?.ownKeys === true && Boolean(header('x-millrace-upstream-key'))
  const asked = { endpoint: facts.endpoint, headers: Object.fromEntries(fields), body }
  return {
    facts,
    asked,
    ownKey: bringsKey ? { provider: header('x-millrace-provider') || null } : null,
    refusal: refusalOf(token, project) ?? accessRefusal(token?.access ?? null, asked, input.model)?.code ?? null,
  }
}

function senderOf(
  scope: Scope,
  { token: tokenId, project: projectId }: ExplainedInput,
  { revision, tokens, projects }: Configuration,
): { readonly token: SnapshotToken | null; readonly project: SnapshotProject | null } {
  const token = tokenId == null ? null : tokens.get(tokenId)
  if (token === undefined || (token && !scope.isOwn(token.projectId))) throw notFound('token', 'input.token')
  if (token !== null && projectId != null && projectId !== token.projectId)
    throw badInput('input.project', "is not the token's")
  const id = token?.projectId ?? projectId ?? null
  const project = id === null ? null : scope.isOwn(id) ? projects.get(id) : undefined
  // Tokens are no part of revisions: one may be younger than what it is looked for in.
  if (project === undefined && token !== null)
    throw notThere(`at revision ${revision} there was no project of this token`, 'input.configRevision')
  if (project === undefined) throw notFound('project', 'input.project')
  return { token, project }
}

/** In the order in which a proxy looks. */
function refusalOf(token: SnapshotToken | null, project: SnapshotProject | null): ErrorCode | null {
  if (token?.revoked) return 'token_revoked'
  if (token?.expiresAt != null && Date.parse(token.expiresAt) <= Date.now()) return 'token_expired'
  return project?.active === false ? 'project_inactive' : null
}
