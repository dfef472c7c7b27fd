/** What a proxy's process does with its records, with no process around it: its queue and its sender, and a control plane that is a fake. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { readSettings } from '@millrace/shared'
import { pino } from 'pino'

import { ControlClient } from '../../../packages/proxy/dist/control/client.js'
import { CALL_BEGINS, CALL_ENDS } from '../../../packages/proxy/dist/records/calls.js'
import { RecordQueue } from '../../../packages/proxy/dist/records/queue.js'
import { RecordSender } from '../../../packages/proxy/dist/records/sender.js'
import { startFakeControl, type FakeControl } from '../../helpers/fake-control.ts'
import { uniqueName } from '../../helpers/names.ts'
import { temporaryFolder } from '../../helpers/temporary.ts'
import { waitFor } from '../../helpers/wait.ts'

export const MEGABYTE = 1_048_576

export interface SpoolingOptions {
  readonly memoryBytes?: number
  readonly spoolBytes?: number
}

export class Spooling implements AsyncDisposable {
  readonly control: FakeControl
  readonly dataDir: string
  readonly queue: RecordQueue
  readonly sender: RecordSender
  /** What was logged, as text. */
  readonly log: string[] = []
  readonly #client: ControlClient
  readonly #resources: AsyncDisposableStack
  #finished = false

  constructor(
    control: FakeControl,
    dataDir: string,
    { memoryBytes = 32 * MEGABYTE, spoolBytes = 1_024 * MEGABYTE }: SpoolingOptions,
    resources: AsyncDisposableStack,
  ) {
    const log = pino({ level: 'debug' }, { write: (line: string) => void this.log.push(line) })
    this.control = control
    this.dataDir = dataDir
    this.#resources = resources
    this.#client = new ControlClient(control.url, 'p'.repeat(32))
    this.queue = new RecordQueue(memoryBytes, 1_000, CALL_BEGINS, CALL_ENDS)
    const settings = readSettings({ MILLRACE_DATA_DIR: dataDir, MILLRACE_SPOOL_BYTES: String(spoolBytes) })
    this.sender = new RecordSender(this.queue, this.#client, settings, log)
  }

  /** Puts records into the queue and returns their ids. @param bytes that each has, about */
  push(count: number, bytes = 0): string[] {
    return Array.from({ length: count }, () => {
      const id = uniqueName('record')
      this.queue.push(JSON.stringify({ id, text: 'x'.repeat(bytes) }))
      return id
    })
  }

  /** The folders of processes in the spool, with their files. */
  async folders(): Promise<Map<string, string[]>> {
    const spool = join(this.dataDir, 'spool')
    const names = (await readdir(spool).catch(() => [])).filter((name) => name !== 'aside')
    return new Map(await Promise.all(names.map(async (name) => [name, await readdir(join(spool, name))] as const)))
  }

  /** How many records are on disk, as the names of files tell. */
  async onDisk(): Promise<number> {
    let count = 0
    for (const names of (await this.folders()).values())
      for (const name of names) if (name.endsWith('.json')) count += Number(name.split('-')[2])
    return count
  }

  /** Waits until so many are on disk. */
  async spilled(count: number): Promise<void> {
    await waitFor(async () => (await this.onDisk()) === count, { what: `${count} records on disk`, timeoutMs: 40_000 })
  }

  /** Waits until control has all of these. */
  async taken(ids: readonly string[], timeoutMs = 30_000): Promise<void> {
    await waitFor(() => missing(this.control, ids) === 0, { what: 'all records to be taken', timeoutMs })
  }

  async finish(withinMs = 5_000): Promise<void> {
    this.#finished = true
    await this.sender.finish(withinMs)
    await this.#client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#finished) await this.finish(0)
    await this.#resources.disposeAsync()
  }
}

/** How many of these control does not have. */
export function missing(control: FakeControl, ids: readonly string[]): number {
  const known = new Set(control.records.map(({ id }) => id))
  return ids.filter((id) => !known.has(id)).length
}

/** Starts a queue that sends. @param of whose data folder and control plane it has; absent: its own */
export async function startSpooling(options: SpoolingOptions = {}, of?: Spooling): Promise<Spooling> {
  await using resources = new AsyncDisposableStack()
  const control = of?.control ?? resources.use(await startFakeControl())
  const dataDir = of?.dataDir ?? resources.use(await temporaryFolder()).path
  const spooling = new Spooling(control, dataDir, options, resources.move())
  spooling.sender.start()
  return spooling
}
