/** What those ask who run the gateway: whether it lives, whether it serves, how it does. */
import { clientIp } from '@millrace/shared'
import type { H3, H3Event } from 'h3'

import type { Membership } from './membership.ts'
import type { Denial, MetricsAccess } from './metrics/access.ts'
import { METRICS_TYPE } from './metrics/metrics.ts'
import type { Gateway } from './request/gateway.ts'

const DENIALS: Readonly<Record<Denial, readonly [status: number, message: string]>> = {
  unauthenticated: [401, 'Bring an admin key of the control plane as a bearer token, or ask from this machine.'],
  forbidden: [403, 'The key has no role that reads.'],
  busy: [503, 'Too many keys are being checked. Try again.'],
  unavailable: [503, 'The control plane does not say what the key is. Try again.'],
}

const UNKNOWN = [503, 'The processes of this proxy do not say how they stand. Try again.'] as const

export function addOperations(app: H3, gateway: Gateway, membership: Membership, access: MetricsAccess): void {
  // Load balancers look by HEAD, too.
  for (const method of ['GET', 'HEAD'] as const) {
    app.on(method, '/healthz', () => ({ status: 'ok' }))

    app.on(method, '/readyz', async (event) => {
      const standing = await membership.readiness()
      const ready = standing.problem === null
      event.res.status = ready ? 200 : 503
      event.res.headers.set('cache-control', 'no-store')
      return { ready, ...standing }
    })
  }

  app.get('/metrics', async (event) => {
    const { headers } = event.req
    const forwarded = headers.get('x-forwarded-for') ?? undefined
    const address = clientIp(socketAddressOf(event), forwarded, gateway.trustedProxies)
    const denial = await access.denies(address, bearerOf(headers.get('authorization')))
    const metrics = denial === null ? await membership.metrics().catch(() => null) : null
    if (metrics !== null) {
      event.res.headers.set('content-type', METRICS_TYPE)
      return metrics
    }
    const [status, message] = denial === null ? UNKNOWN : DENIALS[denial]
    event.res.status = status
    if (status === 401) event.res.headers.set('www-authenticate', 'Bearer')
    if (status === 503) event.res.headers.set('retry-after', '1')
    return { error: { message } }
  })
}

function socketAddressOf(event: H3Event): string | undefined {
  return event.runtime?.node?.req.socket?.remoteAddress
}

/** RFC 6750. */
function bearerOf(authorization: string | null): string | null {
  return authorization !== null && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : null
}
