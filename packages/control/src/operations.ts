/** What those ask who run the control plane: whether it lives, whether it serves, how it does. */
import type { IncomingMessage } from 'node:http'

import type { H3 } from 'h3'
import type { Registry } from 'prom-client'

import type { MetricsAccess } from './metrics/access.ts'
import type { Readiness } from './readiness.ts'

export interface Operations {
  readonly readiness: Readiness
  readonly metrics: Registry
  readonly access: MetricsAccess
}

export function addOperations(app: H3, { readiness, metrics, access }: Operations): void {
  app.get('/healthz', () => ({ status: 'ok' }))

  app.get('/readyz', async (event) => {
    const state = await readiness.state()
    event.res.status = state.ready ? 200 : 503
    event.res.headers.set('cache-control', 'no-store')
    return state
  })

  app.get('/metrics', async (event) => {
    const refusal = await access.refusal(event.runtime!.node!.req as IncomingMessage)
    if (refusal !== null) return new Response(refusal.body, refusal)
    return new Response(await metrics.metrics(), { headers: { 'content-type': metrics.contentType } })
  })
}
