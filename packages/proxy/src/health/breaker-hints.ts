import type { Redis } from '../redis/redis.ts'
import type { Health } from './health.ts'
import type { ProviderHealth } from './provider-health.ts'

const CHANNEL = 'millrace:breaker'

interface Hint {
  readonly proxyId: string
  readonly providerId: string
  /** Milliseconds from now. */
  readonly openMs: number
}

/** Tells other proxies through Redis when a breaker opens here, and listens to them. Hints: a lost one costs little. */
export class BreakerHints {
  private readonly redis: Redis
  private readonly proxyId: string

  constructor(redis: Redis, proxyId: string) {
    this.redis = redis
    this.proxyId = proxyId
  }

  listen(health: Health): void {
    this.redis.subscribe(CHANNEL, (message) => {
      const hint = parse(message)
      if (hint === null || hint.proxyId === this.proxyId) return
      health.find(hint.providerId)?.breaker.hint(hint.openMs, performance.now())
    })
  }

  tell({ id, breaker }: ProviderHealth): void {
    if (breaker.openedAt === null) return
    const hint: Hint = { proxyId: this.proxyId, providerId: id, openMs: breaker.retryAt - performance.now() }
    this.redis.publish(CHANNEL, JSON.stringify(hint))
  }
}

/** Null for what is no hint: anybody who reaches Redis may write there. */
function parse(message: string): Hint | null {
  try {
    const { proxyId, providerId, openMs } = JSON.parse(message) as Partial<Hint>
    const known = typeof proxyId === 'string' && typeof providerId === 'string' && typeof openMs === 'number'
    return known && openMs > 0 ? { proxyId, providerId, openMs } : null
  } catch {
    return null
  }
}
