import type { Redis } from '../redis/redis.ts'
import type { Hint, HintBus } from './breaker-hints.ts'

const CHANNEL = 'millrace:breaker'

/** To the other proxies that share a Redis. Each finds out by itself when a provider is well again. */
export class RedisHints implements HintBus {
  private readonly redis: Redis

  constructor(redis: Redis) {
    this.redis = redis
  }

  tell({ from, providerId, openMs }: Hint): void {
    if (openMs > 0) this.redis.publish(CHANNEL, JSON.stringify({ proxyId: from, providerId, openMs }))
  }

  listen(listener: (hint: Hint) => void): void {
    this.redis.subscribe(CHANNEL, (message) => {
      const hint = parse(message)
      if (hint !== null) listener(hint)
    })
  }
}

/** Null for what is no hint: anybody who reaches Redis may write there. */
function parse(message: string): Hint | null {
  try {
    const { proxyId, providerId, openMs } = JSON.parse(message) as Record<string, unknown>
    const known = typeof proxyId === 'string' && typeof providerId === 'string' && typeof openMs === 'number'
    return known && openMs > 0 ? { from: proxyId, providerId, openMs } : null
  } catch {
    return null
  }
}
