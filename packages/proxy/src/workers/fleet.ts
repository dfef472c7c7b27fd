/** The workers as the primary talks to them. */
import type { ChildProcess } from 'node:child_process'

import type { MemoryLimits } from '../limits/memory.ts'
import { countersOf, mergeMetrics } from '../metrics/merge.ts'
import type { MetricsJson } from '../metrics/metrics.ts'
import { mergeReadiness, queuedOf, type ProxyReadiness, type Readiness } from '../readiness.ts'
import type { RecordQueue } from '../records/queue.ts'
import type { MemoryBindings } from '../sticky/memory.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import { Channel, type Listener } from './channel.ts'
import { WorkerClaims } from './claims.ts'
import type { ToWorker } from './link.ts'
import { mergeReports } from './merge-reports.ts'
import { PlaceBook } from './place-book.ts'
import type { WorkerNews, WorkerQuestions, WorkerReport } from './protocol.ts'

/** A worker that answers later is taken by what it said last. */
const ANSWER_MS = 1_000

/** What the workers share, and whom they tell. */
export interface FleetContext {
  readonly deadlines: Deadlines
  readonly limits: MemoryLimits
  readonly bindings: MemoryBindings
  /** How many workers there should be. */
  readonly size: number
  /** The primary's own: requests that nobody was left to record, and what dead workers have left on disk. */
  readonly records: Pick<RecordQueue, 'length' | 'inMemory' | 'dropped'>
  /** The primary's own metrics. */
  ownMetrics(): Promise<MetricsJson>
  ready(child: ChildProcess): void
  draining(child: ChildProcess): void
  drained(child: ChildProcess): void
  /** There is something to be reported at once. */
  changed(): void
}

interface Worker {
  readonly number: number
  readonly child: ChildProcess
  readonly channel: ToWorker
  readonly claims: WorkerClaims
  /** Nothing is under way in it any more. */
  readonly drained: PromiseWithResolvers<void>
  report: WorkerReport | null
  metrics: MetricsJson | null
}

export class Fleet {
  private readonly context: FleetContext
  private readonly workers = new Map<ChildProcess, Worker>()
  private readonly places: PlaceBook
  private count = 0
  /** Of workers that have ended. */
  private dropped = 0
  private counted: Promise<MetricsJson> = Promise.resolve([])

  constructor(context: FleetContext) {
    this.context = context
    this.places = new PlaceBook((number, given) => {
      for (const worker of this.workers.values()) if (worker.number === number) worker.channel.tell('places', given)
    })
  }

  /** A worker has been started: begins to talk to it. */
  add(child: ChildProcess): ToWorker {
    const claims = new WorkerClaims(this.context.limits)
    const number = ++this.count
    const drained = Promise.withResolvers<void>()
    const listener = this.listener(child, number, claims, drained.resolve)
    const channel: ToWorker = new Channel(child, this.context.deadlines, listener)
    this.workers.set(child, { number, child, channel, claims, drained, report: null, metrics: null })
    return channel
  }

  /** A worker has ended: what it held is free, and what it did stays counted. */
  remove(child: ChildProcess): void {
    const worker = this.workers.get(child)
    if (worker === undefined) return
    this.workers.delete(child)
    worker.channel.close()
    worker.drained.resolve()
    this.places.gone(worker.number)
    this.dropped += worker.report?.recordsDropped ?? 0
    worker.claims.lose()
    const { metrics } = worker
    // One after the other: several may end at once.
    if (metrics !== null) this.counted = this.counted.then((counted) => countersOf([counted, metrics]))
  }

  /** Has all workers finish what is under way. Resolves when they have. */
  async drain(): Promise<void> {
    for (const { channel } of this.workers.values()) channel.tell('stop', null)
    await Promise.all([...this.workers.values()].map(({ drained }) => drained.promise))
  }

  /** Has a worker end that has drained; all, unless told which. */
  end(only?: ChildProcess): void {
    for (const { child, channel } of this.workers.values()) {
      if (only === undefined || child === only) channel.tell('end', null)
    }
  }

  /** As one proxy's, with what the workers say now. */
  async report(): Promise<WorkerReport> {
    await this.askAll(async (worker) => {
      worker.report = await worker.channel.ask('report', null, ANSWER_MS)
    })
    const reports = [...this.workers.values()].map(({ report }) => report).filter((report) => report !== null)
    const merged = mergeReports(reports)
    const { records } = this.context
    return {
      ...merged,
      recordsQueued: merged.recordsQueued + records.length,
      recordsDropped: merged.recordsDropped + records.dropped + this.dropped,
    }
  }

  private async readiness(): Promise<ProxyReadiness> {
    const known: Readiness[] = []
    await this.askAll(async ({ channel }) => {
      known.push(await channel.ask('readiness', null, ANSWER_MS))
    })
    const ended = { queued: 0, spooled: 0, dropped: this.dropped }
    return mergeReadiness(known, this.context.size, [queuedOf(this.context.records), ended])
  }

  private async metrics(): Promise<string> {
    await this.askAll(async (worker) => {
      worker.metrics = await worker.channel.ask('metrics', null, ANSWER_MS)
    })
    const own = await this.context.ownMetrics()
    const said = [...this.workers.values()].map(({ metrics }) => metrics).filter((metrics) => metrics !== null)
    return mergeMetrics([...said, own, await this.counted])
  }

  private async askAll(ask: (worker: Worker) => Promise<void>): Promise<void> {
    await Promise.allSettled([...this.workers.values()].map(ask))
  }

  private listener(
    child: ChildProcess,
    number: number,
    claims: WorkerClaims,
    onDrained: () => void,
  ): Listener<WorkerQuestions, WorkerNews> {
    const { limits, bindings } = this.context
    return {
      answers: {
        admit: (claim) => claims.admit(claim),
        bind: ({ key, accept, proposed, ttlMs }) => bindings.bind(key, accept, proposed, ttlMs),
        move: ({ key, from, to, ttlMs }) => bindings.move(key, from, to, ttlMs),
        clear: ({ aliasId, key, ageMs }) => bindings.clear(aliasId, key, ageMs),
        readiness: () => this.readiness(),
        metrics: () => this.metrics(),
      },
      hears: {
        ready: () => this.context.ready(child),
        settle: ({ id, used }) => claims.settle(id, used),
        raise: (sums) => limits.raise(sums),
        assume: (news) => claims.assume(news),
        keep: ({ key, binding }) => bindings.set(key, binding),
        places: (wanted) => this.places.hear(number, wanted),
        hint: (hint) => {
          for (const other of this.workers.values()) if (other.child !== child) other.channel.mention('hint', hint)
        },
        changed: () => this.context.changed(),
        draining: () => this.context.draining(child),
        drained: () => {
          onDrained()
          this.context.drained(child)
        },
      },
    }
  }
}
