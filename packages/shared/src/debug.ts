/** What a debug capture is, and one exchange of it: a client's request and the answer that it got, cut to size, without secrets. */
import * as z from 'zod'

import { parseAs } from './parse.ts'

/** Bytes of a body that may be kept. */
export const MAX_DEBUG_BODY_BYTES = 1_048_576
/** As long as a timer of Node's can be: 24 days. */
const LONGEST_TIMER_MS = 2_147_483_647

const id = z.uuid()
const text = z.string().max(4_096)
/** For how long an exchange is kept, from when it is stored on. */
const hours = z.int().min(0).max(876_000)
const bytes = z.int().min(0).max(MAX_DEBUG_BODY_BYTES)

const debugCapture = z.object({
  enabled: z.boolean(),
  /** Bytes of a body that are kept. */
  maxBodyBytes: bytes,
  retentionHours: hours,
  /** For how many milliseconds more; null: until it is turned off. No time of day: clocks differ. */
  remainingMs: z.number().min(0).max(LONGEST_TIMER_MS).nullable(),
  /** Requests with these tokens alone; null: with any. */
  tokens: z.array(id).nullable(),
  /** Requests for these models alone, as clients name them (globs with *); null: for any. */
  models: z.array(z.string()).nullable(),
})

/** What proxies are told to capture. */
export type DebugCapture = z.infer<typeof debugCapture>

export const NO_DEBUG_CAPTURE: DebugCapture = {
  enabled: false,
  maxBodyBytes: 0,
  retentionHours: 0,
  remainingMs: null,
  tokens: null,
  models: null,
}

const headers = z.record(z.string(), z.union([z.string(), z.array(z.string())]))
/** As no text has more characters than bytes. */
const body = z.string().max(MAX_DEBUG_BODY_BYTES)

const debugExchange = z.object({
  /** The record's. */
  id,
  requestId: text,
  at: z.iso.datetime(),
  projectId: id.nullable(),
  tokenId: id.nullable(),
  method: text,
  /** Path and query, as the client sent them. */
  target: z.string().max(65_536),
  /** As the client named it; null: it did not, or was not heard to. */
  model: z.string().nullable(),
  requestHeaders: headers,
  /** Null: there was none, or it was never read. */
  requestBody: body.nullable(),
  /** 499: there was no answer any more when the client went. */
  responseStatus: z.int().min(100).max(599),
  responseHeaders: headers,
  responseBody: body.nullable(),
  /** As the capture said when it caught this: what is set later does not concern it. */
  retentionHours: hours,
  /** Whether a body is longer than what is here, or is no text and only described. */
  truncated: z.boolean(),
})

export type DebugExchange = z.infer<typeof debugExchange>

/** @throws Error naming the first path that is wrong, without its value */
export function parseDebugCapture(value: unknown): DebugCapture {
  return parseAs(debugCapture, value, 'capture')
}

/** @throws Error naming the first path that is wrong, without its value */
export function parseDebugExchange(value: unknown): DebugExchange {
  return parseAs(debugExchange, value, 'exchange')
}
