/** The primary of a proxy of several workers: serves no request, but has the port and what the workers share. */
import { newId, SettingsError, type ProxyIdentity, type Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { ControlClient } from '../control/client.ts'
import { Reporter } from '../control/reporter.ts'
import { makeDataDir } from '../data-dir.ts'
import { masterKeysOf, proxyKeyOf } from '../keys.ts'
import { Journal } from '../limits/journal.ts'
import { lostRecorder } from '../limits/lost.ts'
import { MemoryLimits } from '../limits/memory.ts'
import { processMetrics } from '../metrics/metrics.ts'
import { addRecordMetrics } from '../metrics/records.ts'
import { createRecordQueue, FLUSH_MS, MOST_QUEUED, RecordSender } from '../records/sender.ts'
import { MemoryBindings } from '../sticky/memory.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { Crew } from './crew.ts'
import { Distributor } from './distributor.ts'
import { Fleet } from './fleet.ts'

/** More than a worker gives itself to end in good order, beyond the time to drain. */
const STOP_MS = 12_000

export class PrimaryService {
  private readonly settings: Settings
  private readonly identity: ProxyIdentity
  private readonly deadlines = new Deadlines()
  private readonly distributor = new Distributor()
  private readonly control: ControlClient
  private readonly sender: RecordSender
  private readonly journal: Journal
  private readonly limits: MemoryLimits
  private readonly reporter: Reporter
  private readonly fleet: Fleet
  private readonly crew: Crew
  private readonly allReady = Promise.withResolvers<void>()
  private readonly readyOnes = new Set<object>()
  private opening: Promise<string> | null = null
  private url = ''
  private stopping = false

  /** @throws SettingsError if a setting cannot be used */
  constructor(settings: Settings, version: string, log: Logger) {
    this.settings = settings
    this.identity = { id: newId(), version, startedAt: new Date().toISOString() }
    // The workers read them too; what is wrong with them is said once, here.
    masterKeysOf(settings)
    this.control = new ControlClient(settings.MILLRACE_CONTROL_URL, proxyKeyOf(settings))
    makeDataDir(settings)
    const records = createRecordQueue(Math.floor(MOST_QUEUED / settings.MILLRACE_WORKERS))
    this.sender = new RecordSender(records, this.control, settings, log)
    this.journal = new Journal(settings.MILLRACE_DATA_DIR, log, lostRecorder(records))
    this.limits = new MemoryLimits(this.journal)
    const metrics = processMetrics()
    addRecordMetrics(metrics, records)
    this.fleet = new Fleet({
      deadlines: this.deadlines,
      limits: this.limits,
      bindings: new MemoryBindings(),
      size: settings.MILLRACE_WORKERS,
      records,
      ownMetrics: () => metrics.getMetricsAsJSON(),
      ready: (child) => {
        this.distributor.add(child)
        this.readyOnes.add(child)
        if (this.readyOnes.size === settings.MILLRACE_WORKERS) this.allReady.resolve()
      },
      // Of its own accord: a worker that was told to end by somebody else.
      draining: (child) => this.stopping || this.distributor.leave(child),
      drained: (child) => this.stopping || this.fleet.end(child),
      changed: () => void this.reporter.send(),
    })
    this.reporter = new Reporter(this.control, async () => ({ ...this.identity, ...(await this.fleet.report()) }), log)
    this.crew = new Crew(log, {
      started: (child, index) => {
        const channel = this.fleet.add(child)
        channel.tell('welcome', { identity: this.identity, index, url: this.url })
        child.on('message', (message) => {
          if (typeof message !== 'number') return
          if (message > 0) this.distributor.taken(child, message)
          else this.distributor.declined(child, -message)
        })
      },
      ended: (child, how) => {
        this.distributor.remove(child)
        const wasReady = this.readyOnes.delete(child)
        this.fleet.remove(child)
        if (!wasReady && !this.stopping)
          this.allReady.reject(new SettingsError('MILLRACE_WORKERS', `a worker ended before it was ready (${how})`))
      },
    })
  }

  /**
   * Resolves once all workers serve.
   * @returns the address that the proxy listens on
   * @throws SettingsError if it can't listen there
   */
  async start(): Promise<string> {
    this.opening = this.distributor.open(this.settings)
    this.url = await this.opening
    this.journal.start(this.limits)
    this.sender.start()
    this.crew.start(this.settings.MILLRACE_WORKERS)
    await this.allReady.promise
    return this.url
  }

  /** Lets the workers finish what is under way, and ends when they have. */
  async stop(): Promise<void> {
    await this.opening
    this.stopping = true
    const limit = setTimeout(() => this.crew.kill(), this.settings.MILLRACE_DRAIN_SECONDS * 1_000 + STOP_MS)
    const ended = this.crew.end()
    await this.fleet.drain()
    this.reporter.stop()
    this.distributor.close()
    this.fleet.end()
    await ended
    clearTimeout(limit)
    await this.sender.finish(FLUSH_MS)
    this.journal.stop()
    this.deadlines.stop()
    await this.control.close()
  }

  /** Ends the workers at once. */
  kill(): void {
    this.crew.kill()
  }
}
