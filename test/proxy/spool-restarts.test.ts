/** Proxies that end while the control plane is away: what they have on disk outlives them. */
import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { uniqueName } from '../helpers/names.ts'
import { waitFor } from '../helpers/wait.ts'
import { allReady, metricValue, readyz, workersOf } from './workers/crew.ts'

/** A proxy that serves, and whose control plane has gone. */
async function alone(env: Readonly<Record<string, string>> = {}): Promise<LoneProxy> {
  const lone = await startLoneProxy({ env })
  await lone.serve(1)
  await waitFor(async () => (await queued(lone)) === 0, { what: 'the first records to be taken' })
  lone.control.leave()
  return lone
}

const queued = ({ proxy }: LoneProxy): Promise<number> => metricValue(proxy, 'millrace_records_queued')
const dropped = ({ proxy }: LoneProxy): Promise<number> => metricValue(proxy, 'millrace_records_dropped_total')

/** Requests whose answers come. @returns their ids */
async function ask(lone: LoneProxy, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uniqueName('spooled'))
  const answers = await Promise.all(ids.map((id) => lone.chat({ 'x-request-id': id })))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  return ids
}

/** Waits until so many records are on disk, as the names of files tell. */
async function spilled({ dataDir }: LoneProxy, count: number): Promise<void> {
  await waitFor(
    async () => {
      const names = await readdir(join(dataDir, 'spool'), { recursive: true })
      const counts = names.map((name) => Number(/-(\d+)-\d+-\w{8}\.json$/.exec(name)?.[1] ?? 0))
      return counts.reduce((sum, one) => sum + one, 0) === count
    },
    { what: `${count} records on disk`, timeoutMs: 20_000 },
  )
}

/** Waits until control has a record of each, and asserts that it has none twice that it would not know again. */
async function assertTaken(lone: LoneProxy, ids: readonly string[]): Promise<void> {
  lone.control.comeBack()
  const of = (id: string): string[] => [
    ...new Set(lone.control.records.filter(({ requestId }) => requestId === id).map((record) => record.id)),
  ]
  await waitFor(() => ids.every((id) => of(id).length > 0), { what: 'a record of each request', timeoutMs: 30_000 })
  assert.deepEqual(
    ids.filter((id) => of(id).length !== 1),
    [],
  )
  await waitFor(async () => (await queued(lone)) === 0, { timeoutMs: 20_000 })
  assert.equal(await dropped(lone), 0)
}

describe('while the control plane is away', { concurrency: 2 }, () => {
  test('a proxy that is told to end leaves its records to the next', async () => {
    await using lone = await alone()
    const ids = await ask(lone, 40)
    await waitFor(async () => (await queued(lone)) === 40, { what: 'a record of each' })
    assert.deepEqual(await lone.proxy.stop(60_000), { code: 0, signal: null })
    assert.match(lone.proxy.output().stderr, /"waiting":40,"msg":"records wait on disk/)
    assert.equal((await stat(join(lone.dataDir, 'spool'))).mode & 0o777, 0o700)
    await lone.proxy.restart()
    await waitFor(async () => (await queued(lone)) === 40, { what: 'them to be counted' })
    ids.push(...(await ask(lone, 10)))
    await assertTaken(lone, ids)
  })

  test('a proxy that is killed leaves what is on disk', async () => {
    await using lone = await alone()
    const ids = await ask(lone, 40)
    await spilled(lone, 40)
    await lone.proxy.kill9()
    await lone.proxy.restart()
    await assertTaken(lone, ids)
    await waitFor(async () => (await readdir(join(lone.dataDir, 'spool'))).length === 0, { what: 'nothing to be left' })
  })

  test('what a killed worker leaves is sent by the others', async () => {
    await using lone = await alone({ MILLRACE_WORKERS: '2' })
    await allReady(lone.proxy)
    const ids = await ask(lone, 40)
    await spilled(lone, 40)
    for (const pid of workersOf(lone.proxy)) process.kill(pid, 'SIGKILL')
    await waitFor(async () => (await queued(lone)) === 40, { what: 'them to be counted', timeoutMs: 30_000 })
    const told = async (): Promise<boolean> => {
      const { queued: waiting, spooled } = (await readyz(lone.proxy)).records
      return waiting === 40 && spooled === 40 && (await metricValue(lone.proxy, 'millrace_records_spooled')) === 40
    }
    await waitFor(told, { what: 'them to be told as being on disk', timeoutMs: 30_000 })
    await assertTaken(lone, ids)
  })

  test('without a spool, what cannot be sent before the end is lost, and logged', async () => {
    await using lone = await alone({ MILLRACE_SPOOL_BYTES: '0' })
    await ask(lone, 5)
    assert.deepEqual(await lone.proxy.stop(60_000), { code: 0, signal: null })
    assert.match(lone.proxy.output().stderr, /"lost":5,"msg":"records could not be sent before the end/)
    assert.ok(!(await readdir(lone.dataDir)).includes('spool'))
  })
})
