/** How an endpoint is asked of a provider: as the client's own bytes, or in the words of another API. */
import type { IncomingHttpHeaders } from 'node:http'

import type { ProviderError } from '../canonical/answer.ts'
import type { CanonicalRequest } from '../canonical/request.ts'
import type { Encoding } from '../canonical/wire.ts'
import type { Call } from '../endpoints/endpoint.ts'
import type { Target, Targets } from '../providers/provider.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import type { Splitter } from '../stream/splitter.ts'
import type { UpstreamHeaders } from '../upstream/call.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** One request to one provider. An attempt is one. */
export interface Asking {
  readonly call: Call
  /** The provider's own name of the model. */
  readonly model: string
  /** The record's id: what is made of it is unique. */
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
  readonly requestId: string
  /** The call in the canonical form, once it was put to the provider and until its answer begins; null: it is not read. */
  request: CanonicalRequest | null
  /** How the call was put in the provider's words; null: it didn't have to be. */
  encoding: Encoding | null
  /** The client's parameters that the provider is not told. */
  dropped: readonly string[]
  /** Whether the answer is a guess of this gateway's. */
  estimated: boolean
}

/** What a refusal is in its client's own words. */
export interface ToldRefusal {
  readonly body: Buffer
  readonly headers: UpstreamHeaders
}

export interface Translation {
  /** Where to ask in the provider's place; null: at the provider. */
  readonly upstream: Upstream | null
  /** Whether an answer that is too large to be held can be passed on as it comes. */
  readonly passes: boolean
  targetAt(targets: Targets, model: string, stream: boolean): Target
  /** Adds the client's headers that the provider gets, and what its API wants beside the key. */
  addHeaders(list: string[], client: IncomingHttpHeaders): void
  /** @throws GatewayError for what cannot be said */
  encode(asking: Asking): Buffer
  splitter(): Splitter
  observe(asking: Asking, keepUsage: boolean): StreamObserver
  /** @returns null if the text is not what the provider's API promises */
  read(asking: Asking, text: string, headers: UpstreamHeaders): ReadAnswer | InBandError | null
  /** What a refusal says; null: its status and body say it as they are. */
  errorOf(status: number, body: Buffer, headers: UpstreamHeaders): ProviderError | null
  /** @param error as {@link errorOf} gave it */
  refusal(asking: Asking, status: number, headers: UpstreamHeaders, error: ProviderError): ToldRefusal
  /** The headers of an answer that the client may see: of another body than came, not those that tell of its bytes. */
  answerHeaders(headers: UpstreamHeaders, stream: boolean): UpstreamHeaders
}
