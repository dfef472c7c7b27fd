/** Requests that are being served, as a proxy tells of them while they are: on the feed, and when it is asked. */
import * as z from 'zod'

import { parseAs } from './parse.ts'

const LONGEST_TEXT = 4_096
const id = z.uuid()
const text = z.string().max(LONGEST_TEXT)

const inFlight = z.object({
  /** The record's, once there is one. */
  id,
  requestId: text,
  startedAt: z.iso.datetime(),
  projectId: id.nullable(),
  tokenId: id.nullable(),
  endpoint: text,
  /** The model that was asked for; empty as long as the request was not read. */
  model: text,
  aliasId: id.nullable(),
  /** Who is being asked, or answers; null: nobody yet. */
  providerId: id.nullable(),
  providerModel: text.nullable(),
  stream: z.boolean(),
  userKey: text.nullable(),
  /** Of a stream, once it has begun. */
  timeToFirstTokenMs: z.number().min(0).nullable(),
  /** So far: as the provider has said, else about one a content event. */
  outputTokens: z.int().min(0).max(2_147_483_647),
  /** USD so far, a decimal, by the tokens so far; null where no price is known, or no provider was asked yet. */
  costUsd: z
    .string()
    .regex(/^\d{1,20}(\.\d{1,20})?$/)
    .nullable(),
  proxyId: id,
})

export const LIVE_EVENT_KINDS = ['STARTED', 'FIRST_TOKEN'] as const
export type LiveEventKind = (typeof LIVE_EVENT_KINDS)[number]

const liveEvent = z.object({
  id,
  kind: z.enum(LIVE_EVENT_KINDS),
  at: z.iso.datetime(),
  request: inFlight,
})

export type InFlight = z.infer<typeof inFlight>
/** A request has begun to be served, or its client to get content. What becomes of it in the end is its record. */
export type LiveEvent = z.infer<typeof liveEvent>

/** @throws Error naming the first path that is wrong, without its value */
export function parseInFlight(value: unknown): InFlight {
  return parseAs(inFlight, value, 'inFlight')
}

/** @throws Error naming the first path that is wrong, without its value */
export function parseLiveEvent(value: unknown): LiveEvent {
  return parseAs(liveEvent, value, 'event')
}
