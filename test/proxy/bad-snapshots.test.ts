/** A configuration that cannot be used changes nothing: the one before serves on, here and on disk. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { newId, type Snapshot } from '@millrace/shared'

import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { waitFor } from '../helpers/wait.ts'

let lone: LoneProxy
let good = 1
before(async () => {
  lone = await startLoneProxy()
  await lone.serve(good)
})
after(() => lone[Symbol.asyncDispose]())

/** The one part that the whole configuration is, and nothing after it. */
async function onDisk(): Promise<Snapshot> {
  const { format, revision, providers, aliases, projects, tokens } = JSON.parse(
    await readFile(join(lone.dataDir, 'snapshot.jsonl'), 'utf8'),
  ) as Snapshot
  return { format, revision, providers, aliases, projects, tokens }
}

/** Waits until the proxy has had time to look at what was sent: each event is followed by a report, and so are two seconds. */
async function reportedTwice(): Promise<void> {
  const { reports } = lone.control
  const count = reports.length + 2
  await waitFor(() => reports.length >= count, { what: 'two reports', timeoutMs: 30_000 })
}

async function assertServedBy(revision: number): Promise<void> {
  const answer = await lone.chat()
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers['x-millrace-revision'], String(revision))
  assert.equal(await lone.readiness(), 200)
  assert.deepEqual(await onDisk(), lone.configuration.at(revision))
  assert.equal(lone.control.reports.at(-1)!.configRevision, revision)
}

describe('refused', () => {
  const next = () => lone.configuration.at(good + 1)
  const bad: [string, () => unknown][] = [
    ['a text', () => 'garbage'],
    ['a list', () => [next()]],
    ['another format', () => ({ ...next(), format: 99 })],
    ['no providers', () => ({ ...next(), providers: undefined })],
    ['a token whose project is not there', () => ({ ...next(), projects: [{ ...next().projects[0]!, id: newId() }] })],
  ]
  for (const [name, document] of bad) {
    test(name, async () => {
      lone.control.publish(document())
      await reportedTwice()
      await assertServedBy(good)
    })
  }

  test('what is no message of the protocol: it connects again', async () => {
    const { upgrades } = lone.control
    lone.control.publish(lone.configuration.at(good))
    lone.control.babble('{"type":"gibberish"}')
    await waitFor(() => lone.control.upgrades > upgrades, { what: 'another connection', timeoutMs: 30_000 })
    await assertServedBy(good)
  })
})

test('a good one after all that is taken', async () => {
  good += 2
  await lone.serve(good)
  await waitFor(async () => (await onDisk()).revision === good, { what: 'it on disk' })
  await waitFor(() => lone.control.reports.at(-1)!.configRevision === good, { what: 'a report of it' })
  await assertServedBy(good)
})
