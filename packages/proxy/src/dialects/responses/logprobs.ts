import type { TokenLogprob } from '../../canonical/answer.ts'
import { type JsonObject, numberOf } from '../../canonical/values.ts'
import { objectsOf, stringOf } from './values.ts'

/** @returns null where there are none: an empty list says nothing */
export function readLogprobs(value: unknown): TokenLogprob[] | null {
  const read = objectsOf(value).map((one) => ({
    ...readLogprob(one),
    top: objectsOf(one['top_logprobs']).map(readLogprob),
  }))
  return read.length === 0 ? null : read
}

function readLogprob({ token, logprob, bytes }: JsonObject): Omit<TokenLogprob, 'top'> {
  return {
    token: stringOf(token) ?? '',
    logprob: numberOf(logprob) ?? 0,
    bytes: Array.isArray(bytes) ? bytes.filter((byte) => typeof byte === 'number') : null,
  }
}

export function logprobsOf(logprobs: readonly TokenLogprob[]): JsonObject[] {
  return logprobs.map((one) => ({ ...logprobOf(one), top_logprobs: one.top.map(logprobOf) }))
}

/** Its bytes must be there, though they may not be known. */
function logprobOf({ token, logprob, bytes }: Omit<TokenLogprob, 'top'>): JsonObject {
  return { token, logprob, bytes: bytes ?? [...Buffer.from(token)] }
}
