import type { Dispatcher } from 'undici'

import { estimateInput } from '../endpoints/input-estimate.ts'
import type { Target, Targets } from '../providers/provider.ts'
import type { AnyBody, Upstream, UpstreamRequest } from '../upstream/upstream.ts'
import type { Asking, Translation } from './translation.ts'
import { Untouched } from './untouched.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** Answers with what it is sent, at once. */
class Echo implements Upstream {
  dispatch({ body }: UpstreamRequest<AnyBody>, handler: Dispatcher.DispatchHandler): boolean {
    const controller = new EchoController(handler)
    handler.onRequestStart?.(controller, undefined)
    if (controller.aborted) return true
    handler.onResponseStart?.(controller, 200, JSON_TYPE)
    if (!controller.aborted && Buffer.isBuffer(body)) handler.onResponseData?.(controller, body)
    if (!controller.aborted) handler.onResponseEnd?.(controller, {})
    return true
  }
}

class EchoController implements Dispatcher.DispatchController {
  aborted = false
  readonly paused = false
  reason: Error | null = null
  readonly rawHeaders = null
  readonly rawTrailers = null
  private readonly handler: Dispatcher.DispatchHandler

  constructor(handler: Dispatcher.DispatchHandler) {
    this.handler = handler
  }

  pause(): void {}

  resume(): void {}

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.handler.onResponseError?.(this, reason)
  }
}

const ECHO = new Echo()

/** Tokens of a request, estimated here: the provider has nothing that counts them. */
export class EstimatedCount extends Untouched implements Translation {
  override readonly upstream: Upstream = ECHO
  private readonly endpoint: string

  constructor(endpoint: string) {
    super(endpoint, [], null)
    this.endpoint = endpoint
  }

  override targetAt(targets: Targets): Target {
    return targets.of(this.endpoint.slice('/v1'.length))
  }

  override addHeaders(): void {}

  /** The answer is made here and given back by {@link ECHO}. */
  override encode(asking: Asking): Buffer {
    asking.estimated = true
    return Buffer.from(JSON.stringify({ input_tokens: estimateInput(asking.call.text) }))
  }
}
