/** Which endpoints a provider can be asked for: what it does not speak itself is put to it in its own words. */
import { COMPATIBLE_ENDPOINTS, PRESETS } from '../presets.ts'
import { PROVIDER_SETTINGS } from '../provider.ts'
import { textOf, type BodyFeatures, type JsonBody } from './body-values.ts'
import { chatConversation, chatFeatures, chatUser } from './chat-features.ts'
import { messagesConversation, messagesFeatures, messagesUser } from './messages-features.ts'
import { responsesConversation, responsesFeatures } from './responses-features.ts'

/** Those that are understood, and so routed by their bodies. */
export const ROUTED_ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/messages',
  '/v1/messages/count_tokens',
] as const

/** What of a provider decides over it. */
export interface Spoken {
  readonly kind: string
  readonly settings: Readonly<Record<string, unknown>>
}

/** Whether there is a way to ask it for that. Whoever chats can be asked for all but embeddings. */
export function servesEndpoint({ kind, settings }: Spoken, endpoint: string): boolean {
  if (!(ROUTED_ENDPOINTS as readonly string[]).includes(endpoint)) return false
  if (endpoint !== '/v1/embeddings') return true
  if (kind !== 'OPENAI_COMPATIBLE') return kind !== 'ANTHROPIC'
  const { preset, endpoints } = PROVIDER_SETTINGS.OPENAI_COMPATIBLE.parse(settings)
  return (endpoints ?? (preset === null ? COMPATIBLE_ENDPOINTS : PRESETS[preset].endpoints)).includes(endpoint)
}

/** What routing asks of a body. */
export interface BodyFacts extends BodyFeatures {
  readonly stream: boolean
  readonly user: string | null
  readonly conversation: string | null
}

/** @param body as parsed; whatever is not as it should be counts as absent */
export function bodyFacts(endpoint: string, body: JsonBody): BodyFacts {
  const stream = body['stream'] === true
  if (endpoint.startsWith('/v1/messages')) {
    const user = messagesUser(body)
    const streams = stream && endpoint === '/v1/messages'
    return { ...messagesFeatures(body), stream: streams, user, conversation: messagesConversation(user) }
  }
  if (endpoint === '/v1/responses')
    return { ...responsesFeatures(body), stream, user: chatUser(body), conversation: responsesConversation(body) }
  if (endpoint === '/v1/embeddings')
    return { ...NO_FEATURES, stream: false, user: textOf(body['user']), conversation: null }
  return { ...chatFeatures(body), stream, user: chatUser(body), conversation: chatConversation(body) }
}

const NO_FEATURES: BodyFeatures = { maxTokens: null, tools: false, images: false }
