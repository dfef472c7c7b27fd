import { REPORT_INTERVAL_MS, REPORT_PROXY_MUTATION, type ProxyReport } from '@millrace/shared'
import type { Logger } from 'pino'

import type { ControlClient } from './client.ts'

/** Tells the control plane how this proxy does: regularly, and at once when asked to. */
export class Reporter {
  private readonly control: ControlClient
  private readonly report: () => ProxyReport | Promise<ProxyReport>
  private readonly log: Logger
  private readonly timer = setInterval(() => void this.send(), REPORT_INTERVAL_MS).unref()
  private sending = false
  private again = false

  constructor(control: ControlClient, report: () => ProxyReport | Promise<ProxyReport>, log: Logger) {
    this.control = control
    this.report = report
    this.log = log
  }

  /** Sends a report; while one is under way, one more after it. Failures wait for the next: the link logs them. */
  async send(): Promise<void> {
    this.again = this.sending
    if (this.sending) return
    this.sending = true
    try {
      await this.control.execute(REPORT_PROXY_MUTATION, { report: await this.report() })
    } catch (error) {
      this.log.debug(`report not taken: ${(error as Error).message}`)
    } finally {
      this.sending = false
    }
    if (this.again) void this.send()
  }

  stop(): void {
    clearInterval(this.timer)
  }
}
