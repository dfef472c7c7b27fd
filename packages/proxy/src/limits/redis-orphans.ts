import type { Redis } from '../redis/redis.ts'
import type { LostClaim, LostRecorder } from './lost.ts'
import { processKey, PROCESSES } from './redis-layout.ts'
import { ADOPT, BEAT, BURY, INHERIT } from './redis-scripts.ts'
import type { ClaimedRequest } from './store.ts'

const DEADLINE_MS = 5_000
const WEEK_MS = 7 * 86_400_000

export interface OrphansOptions {
  /** Between two signs of life. */
  readonly beatMs?: number
  /** Silence after which a process is taken for dead. */
  readonly deadMs?: number
  /** How long Redis has to be there before anybody is taken for dead: while it was away, nobody could be heard. */
  readonly graceMs?: number
}

/**
 * Shows the others that this process lives, and takes over what dead ones had reserved and never settled: it counts in full,
 * and is recorded.
 */
export class Orphans {
  readonly #redis: Redis
  readonly #process: string
  readonly #record: LostRecorder
  readonly #beatMs: number
  readonly #deadMs: number
  readonly #graceMs: number
  /** Redis is there since; null: it is not. */
  #since: number | null = null
  #beatAt = -Infinity
  #working = false

  constructor(
    redis: Redis,
    process: string,
    record: LostRecorder,
    { beatMs = 10_000, deadMs = 120_000, graceMs = 60_000 }: OrphansOptions = {},
  ) {
    this.#redis = redis
    this.#process = process
    this.#record = record
    this.#beatMs = beatMs
    this.#deadMs = deadMs
    this.#graceMs = graceMs
  }

  /** Called each second. */
  look(): void {
    if (!this.#redis.ready) {
      this.#since = null
      return
    }
    const now = performance.now()
    if (this.#since === null) this.#beatAt = -Infinity
    this.#since ??= now
    if (now - this.#beatAt < this.#beatMs) return
    this.#beatAt = now
    void this.#beat(now - this.#since >= this.#graceMs)
  }

  async #beat(sweeps: boolean): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      const keys = [PROCESSES, processKey('open', this.#process), processKey('lost', this.#process)]
      const args = [this.#process, String(this.#deadMs), String(WEEK_MS)]
      const dead = (await this.#redis.run(BEAT, keys, args, DEADLINE_MS)) as string[]
      if (sweeps) for (const process of dead) await this.#sweep(process)
    } catch {
      // The next beat goes on with it.
    } finally {
      this.#working = false
    }
  }

  async #sweep(process: string): Promise<void> {
    const [open, gone, lost] = [processKey('open', process), processKey('gone', process), processKey('lost', process)]
    const ours = processKey('lost', this.#process)
    const found: LostClaim[] = []
    for (const [id, value] of await this.#entries(open)) {
      const { held, claim } = read(id, value)
      const keys = [PROCESSES, open, gone, ours, ...held.map(([key]) => key)]
      const args = [process, String(this.#deadMs), id, value, String(WEEK_MS), ...held.flatMap(([, ...rest]) => rest)]
      const adopted = await this.#redis.run(ADOPT, keys, args, DEADLINE_MS)
      if (adopted === 1 && claim !== null) found.push(claim)
    }
    for (const [id, value] of await this.#entries(lost)) {
      const inherited = await this.#redis.run(INHERIT, [lost, ours], [id, value], DEADLINE_MS)
      const { claim } = read(id, value)
      if (inherited === 1 && claim !== null) found.push(claim)
    }
    await this.#redis.run(BURY, [PROCESSES, open, lost], [process, String(this.#deadMs)], DEADLINE_MS)
    if (found.length > 0) void this.#see(found)
  }

  /** Remembers them until their records are stored: should this process die, another goes on. */
  async #see(found: readonly LostClaim[]): Promise<void> {
    await this.#record(found)
    const ids = found.map(({ id }) => id)
    await this.#redis.command(['HDEL', processKey('lost', this.#process), ...ids], DEADLINE_MS).catch(() => undefined)
  }

  async #entries(key: string): Promise<[string, string][]> {
    const flat = (await this.#redis.command(['HGETALL', key], DEADLINE_MS)) as string[] | Record<string, string>
    if (!Array.isArray(flat)) return Object.entries(flat)
    return flat.flatMap((id, i) => (i % 2 === 0 ? [[id, flat[i + 1]!] as [string, string]] : []))
  }
}

/** What stands in `open`; see openValue. */
function read(id: string, value: string): { held: [string, string, string, string][]; claim: LostClaim | null } {
  if (value === '') return { held: [], claim: null }
  const [at, cost, held, about] = JSON.parse(value) as [
    number,
    string,
    [string, string, string, string][],
    ClaimedRequest,
  ]
  return { held, claim: { id, at, cost: BigInt(cost), about } }
}
