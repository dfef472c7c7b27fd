/** Records that the control plane will not have, or never says a word about. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import { startLoneProxy } from '../helpers/lone-proxy.ts'
import { waitFor, within } from '../helpers/wait.ts'

describe('ingest', { concurrency: true }, () => {
  test('records that are refused are counted as dropped, and not sent again', async () => {
    await using lone = await startLoneProxy()
    const { control } = lone
    await lone.serve(1)
    const before = uniqueName('stored')
    await lone.chat({ 'x-request-id': before })
    await lone.record(before)

    control.ingest = 'refused'
    for (let i = 0; i < 3; i++) assert.equal((await lone.chat()).status, 200)
    await waitFor(() => control.reports.at(-1)!.recordsDropped >= 3, {
      what: 'a report of what was dropped',
      timeoutMs: 30_000,
    })
    control.ingest = 'stored'
    const stored = control.records.length
    const id = uniqueName('after')
    await lone.chat({ 'x-request-id': id })
    await lone.record(id)
    assert.equal(control.records.length, stored + 1, 'of those that came after the refusal, the new one alone')
    const { recordsDropped, recordsQueued } = await nextReport(control.reports)
    assert.deepEqual({ recordsDropped, recordsQueued }, { recordsDropped: 3, recordsQueued: 0 })
  })

  test('a call that is never answered does not keep the process from ending', async () => {
    await using lone = await startLoneProxy()
    await lone.serve(1)
    lone.control.ingest = 'unanswered'
    const { ingests } = lone.control
    assert.equal((await lone.chat()).status, 200)
    await waitFor(() => lone.control.ingests > ingests, { what: 'records on their way' })
    lone.proxy.signal('SIGTERM')
    const exit = await within(20_000, 'the end of the process', lone.proxy.exited)
    assert.deepEqual(exit, { code: 0, signal: null })
  })
})

/** One that was made after now: a report may be on its way. */
async function nextReport<T>(reports: readonly T[]): Promise<T> {
  const count = reports.length + 2
  return waitFor(() => reports.length >= count && reports.at(-1), { what: 'two reports', timeoutMs: 30_000 })
}
