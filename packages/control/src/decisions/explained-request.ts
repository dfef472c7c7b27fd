/** The request that is to be explained, as routing would see it. */
import {
  chatConversation,
  chatFeatures,
  chatUser,
  estimateTokens,
  readMetadata,
  type RequestFacts,
  type SnapshotProject,
  type SnapshotToken,
} from '@millrace/shared'
import * as z from 'zod'

import { badInput, notFound } from '../graphql/errors.ts'
import { idText, readInput, searchText, storableObject } from '../graphql/input.ts'
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

/** @throws GraphQLError BAD_USER_INPUT */
export function readExplainInput(input: ExplainRouteInput): ExplainedInput {
  return readInput(schema, input)
}

/** @throws GraphQLError NOT_FOUND for a token or a project that the configuration doesn't have */
export function factsOf(input: ExplainedInput, configuration: Configuration): RequestFacts {
  const { token, project } = senderOf(input, configuration)
  const fields = new Map(Object.entries(input.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  const header = (name: string): string | null => fields.get(name) || null
  const body: Readonly<Record<string, unknown>> = input.body ?? {}
  return {
    endpoint: input.endpoint ?? DEFAULT_ENDPOINT,
    stream: body['stream'] === true,
    model: input.model,
    tokenId: token?.id ?? null,
    tokenName: token?.name ?? null,
    projectId: project?.id ?? null,
    projectName: project?.name ?? null,
    user: input.userKey || header('x-millrace-user') || chatUser(body),
    conversation: input.conversationKey || header('x-millrace-conversation') || chatConversation(body),
    metadata: readMetadata(header('x-millrace-metadata')),
    header,
    maxTokens: () => chatFeatures(body).maxTokens,
    hasTools: () => chatFeatures(body).tools,
    hasImages: () => chatFeatures(body).images,
    estimatedInputTokens: () => estimateTokens(input.body ? Buffer.byteLength(JSON.stringify(body)) : 0),
  }
}

function senderOf(
  { token: tokenId, project: projectId }: ExplainedInput,
  { tokens, projects }: Configuration,
): { readonly token: SnapshotToken | null; readonly project: SnapshotProject | null } {
  const token = tokenId == null ? null : tokens.get(tokenId)
  if (token === undefined) throw notFound('token', 'input.token')
  if (token !== null && projectId != null && projectId !== token.projectId)
    throw badInput('input.project', "is not the token's")
  const id = token?.projectId ?? projectId ?? null
  const project = id === null ? null : projects.get(id)
  if (project === undefined) throw notFound('project', 'input.project')
  return { token, project }
}
