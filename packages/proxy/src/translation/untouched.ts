import type { IncomingHttpHeaders } from 'node:http'

import type { Target, Targets } from '../providers/provider.ts'
import { addForwardedHeaders } from '../request/client-headers.ts'
import { EventSplitter } from '../stream/events.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import type { UpstreamHeaders } from '../upstream/call.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { BodyEdits } from './body-edits.ts'
import type { Asking, ToldRefusal, Translation } from './translation.ts'

/** The provider speaks the client's API: bytes go both ways as they come, but for the model's name. */
export class Untouched implements Translation {
  readonly upstream: Upstream | null = null
  readonly passes = true
  private readonly path: string
  private readonly headers: readonly string[]
  private readonly edits: BodyEdits | null
  private readonly endsWithoutDone: boolean

  /**
   * @param path below the provider's base URL
   * @param headers that its API wants unless the client has them, names and values in turn
   * @param edits what it wants otherwise in bodies; null: nothing
   * @param endsWithoutDone see {@link Speech.endsWithoutDone}
   */
  constructor(path: string, headers: readonly string[], edits: BodyEdits | null, endsWithoutDone = false) {
    this.path = path
    this.headers = headers
    this.edits = edits
    this.endsWithoutDone = endsWithoutDone
  }

  targetAt(targets: Targets): Target {
    return targets.of(this.path)
  }

  addHeaders(list: string[], client: IncomingHttpHeaders): void {
    addForwardedHeaders(list, client)
    addMissing(list, this.headers, client)
  }

  encode(asking: Asking): Buffer {
    const dropped: string[] = []
    const body = asking.call.encode(asking.model, dropped)
    asking.dropped = dropped
    return this.edits === null ? body : this.edits.apply(body, asking)
  }

  splitter(): EventSplitter {
    return new EventSplitter()
  }

  observe({ call }: Asking, keepUsage: boolean): StreamObserver {
    return call.observe(keepUsage, this.endsWithoutDone)
  }

  read({ call }: Asking, text: string): ReadAnswer | InBandError | null {
    return call.read(text)
  }

  errorOf(): null {
    return null
  }

  refusal(): ToldRefusal {
    throw new Error('a refusal in the same API passes as it came')
  }

  answerHeaders(headers: UpstreamHeaders): UpstreamHeaders {
    return headers
  }
}

/** Adds what is not there yet. @param headers names, in lower case, and values in turn */
export function addMissing(list: string[], headers: readonly string[], client: IncomingHttpHeaders): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (client[headers[i]!] === undefined) list.push(headers[i]!, headers[i + 1]!)
  }
}
