/** A whole response in the canonical form. */
import type { ChatAnswer, ProviderError } from '../../canonical/answer.ts'
import { type JsonObject, isObject, numberOf } from '../../canonical/values.ts'
import type { ProviderErrorAnswer } from '../../canonical/wire.ts'
import { readResponseError } from './errors.ts'
import { readFinish } from './finish.ts'
import { logprobsOfItems, partsOfItem } from './items-read.ts'
import { readResponseUsage } from './usage.ts'
import { objectsOf, stringOf } from './values.ts'

/** @returns null if it is no response that has ended */
export function readResponse(answer: unknown): ChatAnswer | ProviderErrorAnswer | null {
  if (!isObject(answer)) return null
  const error = failureOf(answer)
  if (error !== null) return { kind: 'error', error }
  const { id, output } = answer
  if (!Array.isArray(output)) return null
  const items = objectsOf(output)
  const content = items.flatMap(partsOfItem)
  const calls = content.some(({ type }) => type === 'tool_call')
  const refused = content.some(({ type }) => type === 'refusal')
  const finish = readFinish(answer, calls, refused)
  if (finish === null) return null
  return {
    kind: 'chat',
    id: stringOf(id) ?? '',
    created: numberOf(answer['created_at']),
    choices: [{ index: 0, content, finish, logprobs: logprobsOfItems(items) }],
    usage: readResponseUsage(answer['usage']),
    serviceTier: stringOf(answer['service_tier']),
    systemFingerprint: null,
  }
}

/** Why a response has failed; null: it has not. */
export function failureOf(response: JsonObject): ProviderError | null {
  const { error, status } = response
  if (isObject(error)) return readResponseError(error)
  if (status !== 'failed' && status !== 'cancelled') return null
  return { message: `the response is ${status}`, type: null, code: null, param: null }
}
