/** Reads a whole answer of the Messages API, and its errors. */
import type { ChatAnswer, ProviderError } from '../../canonical/answer.ts'
import { filledText, isObject, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import type { Encoding, ProviderErrorAnswer } from '../../canonical/wire.ts'
import { readFinish } from './finish.ts'
import { readAnswerBlock } from './read-answer-blocks.ts'
import type { MessagesMemo } from './request-write.ts'
import { readTier, readUsage } from './usage.ts'

/** @returns null if it is none */
export function readMessage(
  answer: unknown,
  { memo }: Pick<Encoding, 'memo'>,
): ChatAnswer | ProviderErrorAnswer | null {
  if (!isObject(answer)) return null
  if (answer['type'] === 'error') return { kind: 'error', error: readErrorObject(answer) }
  const { content, stop_reason: reason, stop_sequence: sequence, usage } = answer
  if (!Array.isArray(content)) return null
  const parts = content.map((block) => readAnswerBlock(block, memo as MessagesMemo)).filter((part) => part !== null)
  const refusal = refusalOf(answer['stop_details'])
  if (refusal !== null) parts.push({ type: 'refusal', text: refusal })
  return {
    kind: 'chat',
    id: textOf(answer['id']),
    created: null,
    choices: [{ index: 0, content: parts, finish: readFinish(reason, sequence), logprobs: null }],
    usage: readUsage(usage),
    serviceTier: readTier(objectOf(usage)['service_tier']),
    systemFingerprint: null,
  }
}

/** Why the model would not answer, in `stop_details`. */
export function refusalOf(details: unknown): string | null {
  const { type, explanation } = objectOf(details)
  return type === 'refusal' ? filledText(explanation) : null
}

/** @param body parsed, or text */
export function readError(body: unknown): ProviderError {
  if (isObject(body)) return readErrorObject(body)
  const text = textOf(body).replace(/\s+/g, ' ').trim()
  return { message: text || 'unknown error', type: null, code: null, param: null }
}

/** `{"type":"error","error":{"type","message"}}`, or what others who speak the API put in its place. */
export function readErrorObject(body: JsonObject): ProviderError {
  const { error } = body
  if (typeof error === 'string') return { message: error, type: null, code: null, param: null }
  const { type, message, code, param } = isObject(error) ? error : body
  return {
    message: filledText(message) ?? 'unknown error',
    type: filledText(type),
    code: typeof code === 'number' ? String(code) : filledText(code),
    param: filledText(param),
  }
}
