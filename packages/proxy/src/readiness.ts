/** Whether requests can be served, and how what they are served with does. */
import type { ControlState } from './control/control-link.ts'
import type { LimitsBackend } from './limits/limits.ts'
import type { RecordQueue } from './records/queue.ts'
import type { Redis } from './redis/redis.ts'
import type { Gateway } from './request/gateway.ts'

export interface QueuedRecords {
  /** Those that wait to be stored. */
  readonly queued: number
  /** Those of them that wait on disk alone. */
  readonly spooled: number
  /** Those that never will be, since the process started. */
  readonly dropped: number
}

/** One process's. */
export interface Readiness {
  /** The configuration's that it serves by; null: none yet. */
  readonly revision: number | null
  /** Why requests can't be served; null: they can. That the control plane or Redis is away is no reason by itself. */
  readonly problem: string | null
  readonly control: ControlState
  readonly redis: 'none' | 'up' | 'down'
  /** Where limits are counted now. */
  readonly limits: LimitsBackend
  readonly records: QueuedRecords
}

/** That of all processes that are one proxy. Null: none of them has answered. */
export interface ProxyReadiness extends Omit<Readiness, 'control' | 'redis'> {
  readonly control: ControlState | null
  readonly redis: Readiness['redis'] | null
  readonly workers: { readonly ready: number; readonly of: number }
}

/** @param redis all connections to it; empty: it is not used */
export function readinessOf(gateway: Gateway, control: ControlState, redis: readonly Redis[]): Readiness {
  const { configuration, limits, records } = gateway
  return {
    revision: configuration.current?.revision ?? null,
    problem: problemOf(gateway),
    control,
    redis: redis.length === 0 ? 'none' : redis.every(({ ready }) => ready) ? 'up' : 'down',
    limits: limits.backend,
    records: queuedOf(records),
  }
}

export function queuedOf({
  length,
  inMemory,
  dropped,
}: Pick<RecordQueue, 'length' | 'inMemory' | 'dropped'>): QueuedRecords {
  return { queued: length, spooled: length - inMemory, dropped }
}

function problemOf({ configuration, draining }: Gateway): string | null {
  if (draining) return 'shutting down'
  if (configuration.current === null) return 'no configuration yet'
  return configuration.stale() ? 'without the control plane for too long' : null
}

/**
 * Puts together how the workers of a proxy stand: it is ready once all of them are, and of the rest the worst is told.
 * @param known one each, but for those that have not answered
 * @param of how many there should be
 * @param others records that are no worker's
 */
export function mergeReadiness(
  known: readonly Readiness[],
  of: number,
  others: readonly QueuedRecords[] = [],
): ProxyReadiness {
  const revisions = known.map(({ revision }) => revision).filter((revision) => revision !== null)
  const ready = known.filter(({ problem }) => problem === null).length
  const problem = known.find((one) => one.problem !== null)?.problem
  return {
    revision: revisions.length === 0 ? null : Math.min(...revisions),
    problem: ready === of ? null : (problem ?? `${ready} of ${of} workers are ready`),
    control: mergeControl(known.map(({ control }) => control)),
    redis: known.find(({ redis }) => redis === 'down')?.redis ?? known[0]?.redis ?? null,
    limits: known.find(({ limits }) => limits !== 'redis')?.limits ?? known[0]?.limits ?? 'local',
    records: [...known.map(({ records }) => records), ...others].reduce(addQueued, NONE_QUEUED),
    workers: { ready, of },
  }
}

const NONE_QUEUED: QueuedRecords = { queued: 0, spooled: 0, dropped: 0 }

function addQueued(one: QueuedRecords, other: QueuedRecords): QueuedRecords {
  return {
    queued: one.queued + other.queued,
    spooled: one.spooled + other.spooled,
    dropped: one.dropped + other.dropped,
  }
}

/** Away since the first of them has lost it, or connected since the last has found it. */
function mergeControl(all: readonly ControlState[]): ControlState | null {
  const sorted = all.toSorted((a, b) => (a.since < b.since ? -1 : 1))
  return sorted.find(({ state }) => state === 'away') ?? sorted.at(-1) ?? null
}
