/** What is particular to a provider kind. One file a kind implements it; index.ts registers them. */
import { flat, type SnapshotProvider } from '@millrace/shared'

import type { Task } from '../endpoints/endpoint.ts'
import type { PassthroughRules } from '../passthrough/rules.ts'
import type { BodyEdits } from '../translation/body-edits.ts'
import type { SpokenTo } from '../translation/translated.ts'
import type { Translations } from '../translation/translations.ts'
import type { Pools, PooledUpstream } from '../upstream/pools.ts'
import type { Upstream, UpstreamRequest } from '../upstream/upstream.ts'

/** A provider, ready to be sent requests. */
export interface Connection {
  readonly upstream: Upstream
  /** The pool behind {@link upstream}, if there is one: it is kept as long as a snapshot names it. */
  readonly pooled: PooledUpstream | null
  readonly targets: Targets
  /** What it is asked for as it comes, besides the endpoints that are understood here; null: nothing. */
  readonly passthrough: PassthroughRules | null
  readonly translations: Translations
  /**
   * Adds what signs one request, where a key is not a header that is the same each time.
   * @param request as it is going to be sent, but for what this adds to its headers
   */
  readonly sign?: (apiKey: string, request: UpstreamRequest) => void
}

/** Which APIs a provider speaks. */
export interface Speech {
  /** For messages: its kind. */
  readonly kind: string
  /** Whether the answers below depend on the model. */
  readonly variesByModel: boolean
  /** That its API wants unless the client has them, names and values in turn. */
  readonly headers: readonly string[]
  /** Whether its streams, where they are OpenAI's, may end without the event that says so. */
  readonly endsWithoutDone?: boolean
  /**
   * Where below its base URL it takes the client's own bytes.
   * @param endpoint its path, as clients call it
   * @returns null: it does not speak that API
   */
  nativePath(endpoint: string, model: string): string | null
  /** What it wants otherwise in such bytes; null: nothing. */
  editsOf(endpoint: string): BodyEdits | null
  /** The API that stands in for those that it does not speak; null: none does. */
  wireFor(task: Task, model: string): SpokenTo | null
}

/** Where one endpoint is asked at a provider. */
export interface Target {
  readonly path: string
  /** For records: no credentials, no query. */
  readonly url: string
}

/** The targets under a provider's base URL, each put together once. */
export class Targets {
  private readonly made = new Map<string, Target>()
  private readonly origin: string
  private readonly pathPrefix: string

  constructor(origin: string, pathPrefix: string) {
    this.origin = origin
    this.pathPrefix = pathPrefix
  }

  /** @param upstreamPath what follows the base URL, with a query or without */
  of(upstreamPath: string): Target {
    let target = this.made.get(upstreamPath)
    if (!target) {
      const path = flat(this.pathPrefix + upstreamPath)
      target = { path, url: flat(this.origin + path.split('?', 1)[0]!) }
      this.made.set(upstreamPath, target)
    }
    return target
  }

  /**
   * One that is not kept: there is no end of them.
   * @param upstreamPath as {@link of} takes it
   * @param query with its `?`, or empty
   */
  once(upstreamPath: string, query: string): Target {
    const path = this.pathPrefix + upstreamPath
    return { path: path + query, url: this.origin + path }
  }

  /** Where a request goes that is passed on. @param model the provider's own name of it; empty: it names none */
  passed(upstreamPath: string, query: string, _model: string): Target {
    return this.once(upstreamPath, query)
  }
}

export interface Provider {
  /** The headers that carry an upstream key, names and values in turn. */
  authorize(apiKey: string): readonly string[]
  /** @throws Error if the provider's settings or URL cannot be used */
  connect(provider: SnapshotProvider, pools: Pools): Connection
}
