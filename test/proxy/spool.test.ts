/** Records that wait on disk while the control plane is away. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { waitFor, within } from '../helpers/wait.ts'
import { MEGABYTE, missing, startSpooling, type Spooling } from './spool/spooling.ts'

/** Another machine's. */
const STRANGER = '0123456789ab-1-1-00000000'

/** Nobody has heard of its owner for a minute. */
async function abandon(folder: string): Promise<void> {
  const past = new Date(Date.now() - 60_000)
  await utimes(folder, past, past)
}

/** A data folder in which a process has left records; of another machine, since a process takes nothing over from itself. */
async function leftBehind(count: number, bytes = 0): Promise<{ left: Spooling; ids: string[]; folder: string }> {
  const left = await startSpooling()
  left.control.leave()
  const ids = left.push(count, bytes)
  await left.finish(0)
  const spool = join(left.dataDir, 'spool')
  const folder = join(spool, STRANGER)
  await rename(join(spool, [...(await left.folders()).keys()][0]!), folder)
  await abandon(folder)
  return { left, ids, folder }
}

const logged = ({ log }: Spooling, pattern: RegExp): number => log.filter((line) => pattern.test(line)).length

describe('while the control plane is away', { concurrency: true }, () => {
  test('records go to disk, for their owner alone, and are sent when it is back', async () => {
    await using spooling = await startSpooling()
    const { control, queue } = spooling
    control.leave()
    const ids = spooling.push(3_000, 1_000)
    await spooling.spilled(3_000)
    await waitFor(() => queue.inMemory < 1_000, { what: 'memory to be given back' })
    assert.equal(queue.length, 3_000)
    for (const [folder, names] of await spooling.folders()) {
      const path = join(spooling.dataDir, 'spool', folder)
      assert.equal((await stat(path)).mode & 0o777, 0o700)
      for (const name of names) {
        assert.equal((await stat(join(path, name))).mode & 0o777, 0o600)
        assert.ok(Array.isArray(JSON.parse(await readFile(join(path, name), 'utf8'))))
      }
    }
    control.comeBack()
    await spooling.taken(ids)
    await waitFor(() => queue.length === 0)
    assert.equal(queue.dropped, 0)
    await waitFor(async () => (await spooling.onDisk()) === 0, { what: 'nothing to be left on disk' })
    await waitFor(() => logged(spooling, /all records that waited on disk have been taken/) === 1)
  })

  test('those of many a second become one file, which has each of them once', async () => {
    await using spooling = await startSpooling()
    spooling.control.leave()
    const ids: string[] = []
    for (let i = 0; i < 12; i++) {
      ids.push(...spooling.push(1))
      await sleep(250)
    }
    await spooling.spilled(12)
    const files = [...(await spooling.folders()).values()].flat()
    // The one whose sending was tried, and all others.
    assert.ok(files.length <= 3, files.join('\n'))
    spooling.control.comeBack()
    await spooling.taken(ids)
    assert.equal(new Set(spooling.control.records.map(({ id }) => id)).size, 12)
  })

  test('who waits for a record is told when it was taken, though it went by the disk', async () => {
    await using spooling = await startSpooling()
    const { control, queue } = spooling
    control.leave()
    const { mark } = queue
    spooling.push(2_000, 1_000)
    await spooling.spilled(2_000)
    let told = false
    const all = queue.stored(60_000, mark).then((taken) => (told = taken))
    assert.equal(await queue.stored(50), false)
    assert.equal(told, false)
    control.comeBack()
    await within(30_000, 'all to be taken', all)
    assert.equal(told, true)
    assert.equal(control.records.length >= 2_000, true)
  })

  test('what comes in does not wait for what has waited', async () => {
    await using spooling = await startSpooling()
    const { control } = spooling
    control.leave()
    const old = spooling.push(10_000, 1_000)
    await spooling.spilled(10_000)
    control.ingestMs = 200
    control.comeBack()
    await waitFor(() => control.records.length > 0, { what: 'the first records' })
    const fresh = spooling.push(1)
    await spooling.taken(fresh)
    assert.ok(missing(control, old) > 1_000, `${missing(control, old)} of those that have waited are left`)
    control.ingestMs = 0
    await spooling.taken(old)
  })

  test('a control plane that takes a call and never answers it is away, too', async () => {
    await using spooling = await startSpooling()
    spooling.control.ingest = 'unanswered'
    const ids = spooling.push(1_500, 1_000)
    await spooling.spilled(1_500)
    spooling.control.ingest = 'stored'
    // So that the call need not be given up, which takes it ten seconds.
    spooling.control.leave()
    spooling.control.comeBack()
    await spooling.taken(ids)
  })
})

describe('what does not fit', { concurrency: true }, () => {
  test('is dropped when memory and spool are full, and counted to the last one', async () => {
    await using spooling = await startSpooling({ memoryBytes: 2 * MEGABYTE, spoolBytes: MEGABYTE })
    const { control, queue } = spooling
    control.leave()
    const ids: string[] = []
    for (let i = 0; i < 60; i++) {
      ids.push(...spooling.push(100, 1_000))
      await sleep(50)
    }
    await waitFor(() => logged(spooling, /MILLRACE_SPOOL_BYTES is used up/) === 1, { what: 'a line in the log' })
    assert.ok(queue.dropped > 1_000, String(queue.dropped))
    assert.equal(queue.length + queue.dropped, 6_000)
    const size = [...(await spooling.folders()).values()]
      .flat()
      .reduce((sum, name) => sum + Number(name.split('-')[3]), 0)
    assert.ok(size <= MEGABYTE, String(size))
    const { dropped } = queue
    control.comeBack()
    await waitFor(() => queue.length === 0, { timeoutMs: 30_000 })
    assert.equal(missing(control, ids), dropped)
    assert.equal(queue.dropped, dropped)
  })

  test('is lost at the end where no disk may be used, and counted', async () => {
    await using spooling = await startSpooling({ spoolBytes: 0 })
    spooling.control.leave()
    spooling.push(500)
    await sleep(1_200)
    await spooling.finish(300)
    assert.equal(spooling.queue.dropped, 500)
    assert.equal(logged(spooling, /"lost":500/), 1)
    assert.deepEqual(await readdir(spooling.dataDir), [])
  })

  test('stays in memory where the disk cannot be written', async () => {
    await using spooling = await startSpooling()
    const { control, dataDir, queue } = spooling
    const blocked = join(dataDir, 'spool')
    await writeFile(blocked, 'no folder')
    control.leave()
    const ids = spooling.push(1_000, 1_000)
    await waitFor(() => logged(spooling, /cannot be written to disk, and stay in memory/) === 1)
    assert.equal(queue.inMemory, 1_000)
    await rm(blocked)
    await spooling.spilled(1_000)
    await waitFor(() => logged(spooling, /can be written to disk again/) === 1)
    control.comeBack()
    await spooling.taken(ids)
    assert.equal(queue.dropped, 0)
  })
})

describe('what a process leaves on disk', { concurrency: true }, () => {
  test('is what it could not send, and is taken over by one of those that find it', async () => {
    const { left, ids } = await leftBehind(2_000, 1_000)
    await using _left = left
    assert.equal(left.queue.dropped, 0)
    assert.equal(logged(left, /"waiting":2000/), 1)
    await using spooling = await startSpooling({}, left)
    await using other = await startSpooling({}, left)
    await waitFor(() => spooling.queue.length + other.queue.length === 2_000, { what: 'it to be counted' })
    assert.equal(spooling.queue.length * other.queue.length, 0)
    left.control.comeBack()
    await spooling.taken(ids)
    assert.equal(left.control.records.length, 2_000)
    await waitFor(async () => (await spooling.folders()).size === 0, { what: 'its folder to go' })
  })

  test('is set aside and counted where it is torn, or not what was written; what is foreign is set aside', async () => {
    const { left, ids, folder } = await leftBehind(3_000, 1_000)
    await using _left = left
    const [torn, changed, folderInstead, ...others] = (await readdir(folder)).sort()
    assert.ok(others.length >= 2)
    await truncate(join(folder, torn!), 1_000)
    const bytes = await readFile(join(folder, changed!))
    bytes[100]! ^= 1
    await writeFile(join(folder, changed!), bytes)
    await rm(join(folder, folderInstead!))
    await mkdir(join(folder, folderInstead!))
    await writeFile(join(folder, 'notes.txt'), 'of an operator')
    await writeFile(join(folder, `${others[0]!}.new`), 'half')
    await abandon(folder)
    left.control.comeBack()
    await using spooling = await startSpooling({}, left)
    const lost = [torn, changed, folderInstead].reduce((sum, name) => sum + Number(name!.split('-')[2]), 0)
    await waitFor(() => spooling.queue.dropped === lost && spooling.queue.length === 0, { timeoutMs: 30_000 })
    assert.equal(missing(left.control, ids), lost)
    await waitFor(async () => (await spooling.folders()).size === 0, { what: 'its folder to go' })
    assert.deepEqual(
      (await readdir(join(left.dataDir, 'spool', 'aside'))).sort(),
      [torn!, changed!, folderInstead!, 'notes.txt'].sort(),
    )
    await waitFor(() => logged(spooling, /cannot be sent/) === 3)
  })

  test('keeps nobody from ending, nor from sending what comes in, where it cannot be read to the end', async () => {
    const { left, folder } = await leftBehind(2_000, 1_000)
    await using _left = left
    // A disk that does not answer: who opens it waits for a writer.
    const stuck = join(folder, (await readdir(folder)).sort()[0]!)
    await rm(stuck)
    execFileSync('mkfifo', [stuck])
    await abandon(folder)
    left.control.comeBack()
    await using spooling = await startSpooling({}, left)
    await waitFor(() => spooling.queue.length === 2_000, { what: 'it to be counted' })
    await spooling.taken(spooling.push(10))
    try {
      await within(30_000, 'the end', spooling.finish(0))
    } finally {
      const [adopted] = (await spooling.folders()).keys()
      await using _writer = await open(join(left.dataDir, 'spool', adopted!, basename(stuck)), 'r+')
    }
  })

  test('is set aside where the control plane takes all but that', async () => {
    const { left, ids, folder } = await leftBehind(3_000, 1_000)
    await using _left = left
    const [first] = (await readdir(folder)).sort()
    const [poisoned] = JSON.parse(await readFile(join(folder, first!), 'utf8')) as { id: string }[]
    left.control.failsOn = ({ id }) => id === poisoned!.id
    left.control.comeBack()
    await using spooling = await startSpooling({}, left)
    const fresh: string[] = []
    const lost = Number(first!.split('-')[2])
    await waitFor(
      () => {
        fresh.push(...spooling.push(1))
        return spooling.queue.dropped === lost
      },
      { timeoutMs: 40_000, intervalMs: 100 },
    )
    await spooling.taken(fresh)
    assert.equal(missing(left.control, ids), lost)
    assert.deepEqual(await readdir(join(left.dataDir, 'spool', 'aside')), [first])
  })
})

describe('a batch', { concurrency: true }, () => {
  test('that is refused holds up no other', async () => {
    await using spooling = await startSpooling()
    const { control } = spooling
    const [poisoned] = spooling.push(1)
    control.failsOn = ({ id }) => id === poisoned
    await waitFor(() => control.ingests > 0)
    await spooling.taken(spooling.push(100))
    assert.equal(missing(control, [poisoned!]), 1)
    control.failsOn = null
    await spooling.taken([poisoned!])
  })

  test('waits for what is to come before it, but not for long, nor because that fails', async () => {
    await using spooling = await startSpooling()
    const { control, sender } = spooling
    const seen: number[] = []
    sender.beforeBatch = async () => {
      await sleep(10)
      seen.push(control.records.length)
    }
    await spooling.taken(spooling.push(1))
    assert.deepEqual(seen, [0])
    sender.beforeBatch = () => Promise.reject(new Error('not now'))
    await spooling.taken(spooling.push(1))
    sender.beforeBatch = () => new Promise(() => undefined)
    await spooling.taken(spooling.push(1))
  })
})
