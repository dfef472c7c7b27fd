/** The calls that bring records to the control plane, from memory and from the disk. */
import { INGEST_RECORDS_MUTATION, type IngestResult } from '@millrace/shared'
import type { Logger } from 'pino'

import type { ControlClient } from '../control/client.ts'

/** The body of a call: this, records parted by commas, and {@link CALL_ENDS}. The two brackets between them are an array's. */
export const CALL_BEGINS = `{"query":${JSON.stringify(INGEST_RECORDS_MUTATION)},"variables":{"records":[`
export const CALL_ENDS = ']}}'

/** A batch that was refused so often while others were taken is refused for ever. */
const MOST_REFUSALS = 10
/** What undici says of a call that was not answered in time. */
const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/** How a batch has fared so far. */
export interface Tried {
  /** Calls that have failed. */
  failures: number
  /** Those of them that may be its own fault, each since others were taken. */
  refusals: number
  /** How many were taken when that was last so. */
  refusedAt: number
}

export function untried(): Tried {
  return { failures: 0, refusals: 0, refusedAt: -1 }
}

export class RecordCalls {
  private readonly control: ControlClient
  private readonly log: Logger
  private readonly dropped: (count: number) => void
  /** How many have succeeded. */
  private taken = 0

  /** @param dropped called with how many records are lost: control refused them one by one */
  constructor(control: ControlClient, log: Logger, dropped: (count: number) => void) {
    this.control = control
    this.log = log
    this.dropped = dropped
  }

  /** Brings a batch. Its records are stored, or refused as malformed, when this resolves. @throws Error if it was not taken */
  async bring(batch: Tried, body: Buffer, signal: AbortSignal): Promise<void> {
    try {
      const { ingestRecords: result } = await this.control.send<{ ingestRecords: IngestResult }>(body, signal)
      this.taken++
      if (result.refused === 0) return
      this.dropped(result.refused)
      this.log.error({ refused: result.refused }, 'the control plane refused records as malformed')
    } catch (error) {
      batch.failures++
      if (mayBeRefusal(error) && batch.refusedAt !== this.taken) {
        batch.refusals++
        batch.refusedAt = this.taken
      }
      throw error
    }
  }
}

/**
 * Whether a call may have failed because of what it carried: it was answered, or not in time. Nothing in this can be told from
 * a control plane that is in trouble itself, unless that takes other batches meanwhile.
 */
export function mayBeRefusal(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === undefined || TIMEOUTS.has(code)
}

/** Whether a batch is not worth another call. */
export function isHopeless({ refusals }: Tried): boolean {
  return refusals >= MOST_REFUSALS
}
