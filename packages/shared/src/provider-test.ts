/** One smallest request to a provider, to see whether it answers: nobody's, in no record. */
import * as z from 'zod'

import { parseAs } from './parse.ts'

/** After which a provider that is tested has not answered. */
export const PROVIDER_TEST_MS = 30_000

/** What a process of a proxy is to try. */
export interface ProviderTest {
  /** The one process that does. */
  readonly process: string
  readonly provider: string
  /** The provider's own name of it. */
  readonly model: string
  /** By what is known of the provider then, or later. */
  readonly revision: number
}

const LONGEST_MESSAGE = 1_000

const outcome = z.object({
  ok: z.boolean(),
  /** Of the request, to the end of its answer; null: none was sent. */
  latencyMs: z.number().min(0).nullable(),
  httpStatus: z.int().min(100).max(999).nullable(),
  /** As of an attempt; null where it is ok, and where none was made. */
  errorClass: z.string().max(LONGEST_MESSAGE).nullable(),
  /** Why it is not ok. */
  message: z.string().max(LONGEST_MESSAGE).nullable(),
})
/** How it went. */
export type ProviderTestOutcome = Readonly<z.infer<typeof outcome>>

/** That of a provider that was not asked. @param message why */
export function untriedProvider(message: string): ProviderTestOutcome {
  return { ok: false, latencyMs: null, httpStatus: null, errorClass: null, message }
}

/** @throws Error naming the first path that is wrong, without its value */
export function parseProviderTestOutcome(value: unknown): ProviderTestOutcome {
  return parseAs(outcome, value, 'test')
}
