import { newId } from '@millrace/shared'
import type { Logger } from 'pino'

import type { ControlClient } from '../control/client.ts'
import type { RecordQueue } from '../records/queue.ts'
import type { Redis } from '../redis/redis.ts'
import { Limits } from './limits.ts'
import { lostRecorder } from './lost.ts'
import { Orphans } from './redis-orphans.ts'
import { RedisLimits } from './redis.ts'
import { UsedRefresh } from './refresh.ts'
import type { LocalLimits } from './store.ts'
import { LimitsUpkeep } from './upkeep.ts'

/** How long a request waits for Redis before limits are counted without it: a limit is wrong by then, so not soon. */
export const LIMITS_DEADLINE_MS = 1_000

export interface LimitsContext {
  /** Counts while there is no Redis. */
  readonly local: LocalLimits
  readonly redis: Redis | null
  /** Whether what has limits is refused while Redis is away. */
  readonly refuses: boolean
  readonly control: ControlClient
  readonly records: RecordQueue
  readonly log: Logger
}

/** Puts together what one process counts its limits by. */
export function openLimits({ local, redis, refuses, control, records, log }: LimitsContext): {
  readonly limits: Limits
  readonly upkeep: LimitsUpkeep
} {
  const id = newId()
  const shared = redis && new RedisLimits(redis, id)
  const orphans = redis && new Orphans(redis, id, lostRecorder(records))
  const limits = new Limits(local, shared, refuses, log)
  // At once, not with the next request: other workers count here too, and what is held in Redis must be known to them.
  redis?.watch(() => limits.look())
  return { limits, upkeep: new LimitsUpkeep(limits, new UsedRefresh(limits, control, log), shared, orphans) }
}
