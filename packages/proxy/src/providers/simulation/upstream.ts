import { newId, type SimulatedSettings } from '@millrace/shared'
import type { Dispatcher } from 'undici'

import type { Upstream, UpstreamRequest } from '../../upstream/upstream.ts'
import { idPrefix, readRequest, replyTokens } from './answer.ts'
import { SimulatedExchange } from './exchange.ts'

const NOTHING = Buffer.alloc(0)

export class SimulatedUpstream implements Upstream {
  private readonly settings: SimulatedSettings
  private readonly tokens: readonly string[]

  constructor(settings: SimulatedSettings) {
    this.settings = settings
    this.tokens = replyTokens(settings)
  }

  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): boolean {
    const fails = Math.random() < this.settings.errorRate
    const fault = fails ? this.settings.errorKind : null
    const asked = readRequest(request.path, request.body ?? NOTHING)
    const id = `${idPrefix(asked)}${newId()}`
    new SimulatedExchange(id, asked, this.tokens, this.settings, fault, handler).start()
    return true
  }
}
