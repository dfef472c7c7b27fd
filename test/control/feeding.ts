/** Subscriptions to the feed, and what is told by it, for its suites. */
import {
  INGEST_RECORDS_MUTATION,
  newId,
  REPORT_LIVE_MUTATION,
  type InFlight,
  type LiveEvent,
  type RequestRecord,
} from '@millrace/shared'

import type { ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { waitFor } from '../helpers/wait.ts'
import { sample } from './sample.ts'

export const FEED = `subscription ($filter: RequestFilter, $kinds: [FeedEventKind!], $after: ID) {
  requestFeed(filter: $filter, kinds: $kinds, after: $after) {
    id kind at requestId dropped record { id model } inFlight { id model outputTokens project { name } }
  }
}`

export interface FeedEvent {
  readonly id: string
  readonly kind: string
  readonly at: string
  readonly requestId: string
  readonly dropped: number
  readonly record: { readonly id: string; readonly model: string } | null
  readonly inFlight: { readonly id: string; readonly model: string } | null
}

export async function ingest(control: ControlProcess, ...records: readonly RequestRecord[]): Promise<void> {
  await control.gql(INGEST_RECORDS_MUTATION, { records }, control.proxyKey)
}

export async function report(control: ControlProcess, ...events: readonly unknown[]): Promise<number> {
  return (await control.gql<any>(REPORT_LIVE_MUTATION, { events }, control.proxyKey)).reportLive
}

/** A request as it was while it was served. */
export function inFlightOf(record: RequestRecord): InFlight {
  const { id, requestId, startedAt, projectId, tokenId, endpoint, model, aliasId, stream, userKey, proxyId } = record
  const { providerId, providerModel, timeToFirstTokenMs } = record
  const served = { providerId, providerModel, timeToFirstTokenMs, outputTokens: 1, costUsd: null }
  return { id, requestId, startedAt, projectId, tokenId, endpoint, model, aliasId, stream, userKey, proxyId, ...served }
}

export function liveEvent(kind: LiveEvent['kind'], record: RequestRecord, more: Partial<InFlight> = {}): LiveEvent {
  return { id: newId(), kind, at: new Date().toISOString(), request: { ...inFlightOf(record), ...more } }
}

function modelOf({ record, inFlight }: FeedEvent): string {
  return (record ?? inFlight)!.model
}

/** What a subscriber was told. It listens from the first event on that it was told of a marker. */
export class Listener implements AsyncDisposable {
  events: FeedEvent[] = []
  readonly #ignored = new Set<string>()
  /** What it ended by. */
  failure: any = null
  readonly #subscription

  constructor(control: ControlProcess, variables: object, key?: string) {
    this.#subscription = control.subscribe<{ requestFeed: FeedEvent }>(FEED, { ...variables }, key)
    void this.#listen()
  }

  async #listen(): Promise<void> {
    try {
      for await (const { requestFeed } of this.#subscription)
        if (!this.#ignored.has(modelOf(requestFeed))) this.events.push(requestFeed)
    } catch (error) {
      this.failure = error
    }
  }

  /** `FINISHED model`, in the order in which they came. */
  get told(): string[] {
    return this.events.map((event) => `${event.kind} ${modelOf(event)}`)
  }

  /** Forgets events of this model, and those that are still to come. */
  ignore(model: string): void {
    this.#ignored.add(model)
    this.events = this.events.filter((event) => modelOf(event) !== model)
  }

  /** Waits until it was told of so many. */
  async has(count: number): Promise<FeedEvent[]> {
    await waitFor(() => this.events.length >= count, { what: `${count} events: ${JSON.stringify(this.told)}` })
    return this.events
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscription.return!()
  }
}

/**
 * One that control has taken up, and its others know of: it is told what is published at any of these from now on. Of its
 * filter a marker must be a request: it is given the user key.
 */
export async function listening(
  control: ControlProcess,
  variables: { readonly filter?: object; readonly kinds?: readonly string[] },
  { key, at = [control] }: { readonly key?: string; readonly at?: readonly ControlProcess[] } = {},
): Promise<{ listener: Listener; make: (more?: Partial<RequestRecord>) => RequestRecord }> {
  const userKey = uniqueName('user')
  const make = (more: Partial<RequestRecord> = {}): RequestRecord => sample({ userKey, ...more })
  const kinds = variables.kinds ?? ['FINISHED']
  const listener = new Listener(control, { ...variables, kinds, filter: { search: userKey, ...variables.filter } }, key)
  for (const one of at) {
    const model = uniqueName('marker')
    await waitFor(
      async () => {
        if (listener.failure) throw listener.failure
        for (const kind of kinds) {
          const marker = make({ model })
          if (kind === 'FINISHED') await ingest(one, marker)
          else await report(one, liveEvent(kind as LiveEvent['kind'], marker))
        }
        return kinds.every((kind) => listener.told.includes(`${kind} ${model}`))
      },
      { intervalMs: 100, what: 'the marker' },
    )
    listener.ignore(model)
  }
  return { listener, make }
}
