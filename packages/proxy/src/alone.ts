/** A process that is a proxy by itself: it asks nobody. */
import type { Server } from 'node:http'

import { newId, type ProxyIdentity, type Settings } from '@millrace/shared'
import type { Logger } from 'pino'

import { listen } from './address.ts'
import { Reporter } from './control/reporter.ts'
import { Journal } from './limits/journal.ts'
import { lostRecorder } from './limits/lost.ts'
import { MemoryLimits } from './limits/memory.ts'
import type { Member, Membership } from './membership.ts'
import { mergeReadiness, type ProxyReadiness } from './readiness.ts'
import { MemoryBindings } from './sticky/memory.ts'

export class AloneMembership implements Membership {
  readonly identity: ProxyIdentity
  readonly workers = 1
  readonly limits: MemoryLimits
  readonly bindings = new MemoryBindings()
  readonly places = null
  readonly hints = null
  readonly writesSnapshot = true
  private readonly settings: Settings
  private readonly log: Logger
  private readonly journal: Journal
  private member: Member | null = null
  private reporter: Reporter | null = null

  constructor(settings: Settings, version: string, log: Logger) {
    this.identity = { id: newId(), version, startedAt: new Date().toISOString() }
    this.settings = settings
    this.log = log
    this.journal = new Journal(settings.MILLRACE_DATA_DIR, log, (lost) => lostRecorder(this.member!.records)(lost))
    this.limits = new MemoryLimits(this.journal)
  }

  open(server: Server): Promise<string> {
    return listen(server, this.settings)
  }

  join(member: Member): void {
    this.member = member
    this.journal.start(this.limits)
    this.reporter = new Reporter(member.control, () => ({ ...this.identity, ...member.report() }), this.log)
  }

  report(): void {
    void this.reporter?.send()
  }

  async readiness(): Promise<ProxyReadiness> {
    return mergeReadiness(this.member === null ? [] : [this.member.readiness()], 1)
  }

  async metrics(): Promise<string> {
    return this.member === null ? '' : this.member.metricsText()
  }

  drain(until: Promise<void>): Promise<void> {
    return until
  }

  leave(): void {
    this.reporter?.stop()
  }

  async close(): Promise<void> {
    this.journal.stop()
  }
}
