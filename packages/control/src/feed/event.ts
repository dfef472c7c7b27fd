/** What the feed tells of a request, and by which ids. */
import { LIVE_EVENT_KINDS, type InFlight, type LiveEventKind, type RequestRecord } from '@millrace/shared'

export const FEED_EVENT_KINDS = [...LIVE_EVENT_KINDS, 'FINISHED'] as const
export type FeedEventKind = (typeof FEED_EVENT_KINDS)[number]

/** A record was stored. */
export interface FinishedEvent {
  readonly kind: 'FINISHED'
  /** By {@link eventId}, of the moment at which the database stored the record: so it can be found again. */
  readonly id: string
  readonly at: Date
  readonly record: RequestRecord
}

/** A request is being served. */
export interface OngoingEvent {
  readonly kind: LiveEventKind
  /** By {@link eventId}, of the moment at which control took it. */
  readonly id: string
  /** By the proxy's clock. */
  readonly at: Date
  readonly request: InFlight
}

export type FeedEvent = FinishedEvent | OngoingEvent

/** What an event's id is made of. */
export interface EventKey {
  readonly time: Date
  readonly kind: FeedEventKind
  /** The record's. */
  readonly request: string
}

const ID = /^([0-9a-f]{12})-([012])-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** Ids sort by their time, and of one moment by their kind. */
export function eventId({ time, kind, request }: EventKey): string {
  return `${time.getTime().toString(16).padStart(12, '0')}-${eventName(kind, request)}`
}

/** What of an id says which event it is; the rest is when it was. */
export function eventName(kind: FeedEventKind, request: string): string {
  return `${FEED_EVENT_KINDS.indexOf(kind)}-${request}`
}

/** {@link eventName} of the event of an id. */
export function nameOf(id: string): string {
  return id.slice(13)
}

/** Null for what is no id. */
export function readEventId(id: string): EventKey | null {
  const [, time, kind, request] = ID.exec(id) ?? []
  if (time === undefined) return null
  return { time: new Date(Number.parseInt(time, 16)), kind: FEED_EVENT_KINDS[Number(kind)]!, request: request! }
}

/** Of the event's request. */
export function recordIdOf(event: FeedEvent): string {
  return event.kind === 'FINISHED' ? event.record.id : event.request.id
}
