/** What of the limits outlives a process that is killed. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { newId, toPicodollars } from '@millrace/shared'
import { pino } from 'pino'

import { Journal } from '../../packages/proxy/dist/limits/journal.js'
import type { LostClaim } from '../../packages/proxy/dist/limits/lost.js'
import { MemoryLimits } from '../../packages/proxy/dist/limits/memory.js'
import { QUOTA } from '../../packages/proxy/dist/limits/store.js'
import { cleanEnvironment, endWithThisProcess } from '../helpers/process.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'
import { claim, subject, used } from './limits/claims.ts'
import { BUDGET, type Work } from './limits/counting.ts'

class Counting implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #said: AsyncIterator<string>

  /** @param blocks of 512 bytes: how large its files may get; null: as large as they will */
  constructor(folder: string, blocks: number | null) {
    const path = new URL('limits/counting.ts', import.meta.url).pathname
    const limit = `ulimit -f ${blocks ?? 'unlimited'}; exec "$0" "$@"`
    this.#child = spawn('/bin/sh', ['-c', limit, process.execPath, path, folder], {
      env: cleanEnvironment(),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    endWithThisProcess(this.#child)
    this.#said = createInterface(this.#child.stdout!)[Symbol.asyncIterator]()
  }

  async said(): Promise<void> {
    assert.equal((await this.#said.next()).done, false)
  }

  async work(work: Work): Promise<void> {
    this.#child.stdin!.write(`${JSON.stringify(work)}\n`)
    await this.said()
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}

async function counting(folder: string, blocks: number | null = null): Promise<Counting> {
  const started = new Counting(folder, blocks)
  await started.said()
  return started
}

/** What a process that starts in a folder now finds there. */
class Found implements Disposable {
  readonly lost: LostClaim[] = []
  readonly journal: Journal
  readonly memory: MemoryLimits

  /** @param records whether control takes the records of what was lost */
  constructor(folder: string, records = true) {
    this.journal = new Journal(folder, pino({ level: 'silent' }), async (lost) => {
      this.lost.push(...lost)
      if (!records) await new Promise(() => undefined)
    })
    this.memory = new MemoryLimits(this.journal)
    this.journal.start(this.memory)
  }

  spent(id: string, window: string): bigint {
    return [...this.memory.sums()].find((sum) => sum.subjectId === id && sum.window === window)?.spent ?? 0n
  }

  [Symbol.dispose](): void {
    this.journal.stop()
  }
}

/** Of 512 bytes: how large a file can be where there is little room. */
const BLOCKS = 200

const journals = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith('limits-'))

suite('the journal of limits', () => {
  test('brings back what was spent, and counts in full what was not settled', async () => {
    await using folder = await temporaryFolder()
    const id = newId()
    await using one = await counting(folder.path)
    await one.work({ id, settled: 100, open: 7 })
    const [name] = await journals(folder.path)
    assert.equal((await stat(join(folder.path, name!))).mode & 0o777, 0o600)
    await one.kill()
    {
      using found = new Found(folder.path)
      assert.equal(found.spent(id, 'total'), toPicodollars('12.1'))
      assert.equal(found.spent(id, QUOTA), 107n)
      assert.equal(found.lost.length, 7)
      assert.equal(new Set(found.lost.map((lost) => lost.id)).size, 7)
      assert.equal(found.lost[0]!.cost, toPicodollars('0.3'))
      assert.equal(found.lost[0]!.about.model, 'some "model" 😀')
      await sleep(10)
    }
    // This process has stopped, but lives.
    await rm(join(folder.path, (await journals(folder.path))[0]!))
  })

  test('tells of what was lost until that is recorded, and counts it once', async () => {
    await using folder = await temporaryFolder()
    const id = newId()
    {
      await using one = await counting(folder.path)
      await one.work({ id, settled: 10, open: 2 })
    }
    {
      await using two = await counting(folder.path)
      await two.work({ id, settled: 10, open: 1 })
    }
    using found = new Found(folder.path)
    assert.equal(found.spent(id, 'total'), toPicodollars('2.9'))
    assert.equal(found.lost.length, 3)
  })

  test('leaves those of the living alone, and takes up those of the dead while it runs', async () => {
    await using folder = await temporaryFolder()
    const id = newId()
    await using one = await counting(folder.path)
    await one.work({ id, settled: 5, open: 5 })
    using found = new Found(folder.path)
    await sleep(1_500)
    assert.equal(found.spent(id, 'total'), 0n)
    await one.work({ id, settled: 1, open: 0 })
    await one.kill()
    await waitFor(() => found.lost.length === 5, { what: 'what was lost to be found', timeoutMs: 15_000 })
    assert.equal(found.spent(id, 'total'), toPicodollars('2.1'))
    assert.equal((await journals(folder.path)).length, 1)
  })

  test('takes up those of other machines when nobody has touched them for long', async () => {
    await using folder = await temporaryFolder()
    const [fresh, old] = ['0', '1'].map((n) => join(folder.path, `limits-aaaaaaaaaaaa-${n}-1-00000000.journal`))
    const [one, two] = [newId(), newId()]
    for (const [path, id] of [
      [fresh!, one],
      [old!, two],
    ] as const)
      await writeFile(path, `["sum","${id}","total","7"]\n`)
    const ago = new Date(Date.now() - 11_000)
    await utimes(old!, ago, ago)
    const unfinished = join(folder.path, 'limits-aaaaaaaaaaaa-2-1-00000000.new')
    await writeFile(unfinished, '')
    await utimes(unfinished, ago, ago)
    using found = new Found(folder.path)
    assert.equal(found.spent(one, 'total'), 0n)
    assert.equal(found.spent(two, 'total'), 7n)
    await assert.rejects(stat(old!))
    await assert.rejects(stat(unfinished))
  })

  test('reads what is whole of a torn file, and leaves out windows that are over', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'limits-aaaaaaaaaaaa-1-1-00000000.journal')
    const id = newId()
    const today = new Date().toISOString().slice(0, 10)
    const lines = [
      ['sum', id, today, '5'],
      ['sum', id, '2020-01-01', '5'],
      ['sum', id, '2020-01', '5'],
      ['claim', newId(), 0, '3', [[id, today, '3']], {}],
      ['settled', newId(), ['100']],
    ]
    await writeFile(
      path,
      `${lines.map((line) => JSON.stringify(line)).join('\n')}\nrubbish\n["sum","${id}","${today}","9`,
    )
    await utimes(path, 0, 0)
    using found = new Found(folder.path)
    assert.equal(found.spent(id, today), 8n)
    assert.deepEqual(
      [...found.memory.sums()].map(({ window }) => window),
      [today],
    )
  })

  test('is written anew when it is large, while it is written to', async () => {
    await using folder = await temporaryFolder()
    const id = newId()
    await using one = await counting(folder.path)
    await one.work({ id, settled: 0, open: 3 })
    let largest = 0
    for (let i = 0; i < 24; i++) {
      await one.work({ id: i % 2 === 0 ? id : newId(), settled: 5_000, open: 0 })
      const [name] = await journals(folder.path)
      largest = Math.max(largest, (await stat(join(folder.path, name!))).size)
    }
    assert.ok(largest > 8_000_000 && largest < 20_000_000, `${largest} bytes`)
    await one.kill()
    using found = new Found(folder.path)
    assert.equal(found.spent(id, 'total'), toPicodollars('6000.9'))
    assert.equal(found.spent(id, QUOTA), 60_003n)
    assert.equal(found.lost.length, 3)
    assert.equal((await journals(folder.path)).length, 1, 'what was left half written is gone')
  })

  test('leaves no torn file beside the one that is written anew: both would count', async () => {
    await using folder = await temporaryFolder()
    const id = newId()
    await using one = await counting(folder.path, BLOCKS)
    await one.work({ id, settled: 1_000, open: 0 })
    const sizes = async (): Promise<number[]> => {
      const names = (await journals(folder.path)).filter((name) => name.endsWith('.journal'))
      return Promise.all(names.map(async (name) => (await stat(join(folder.path, name))).size))
    }
    await waitFor(async () => (await sizes()).some((size) => size < 1_000), { what: 'it to be written anew' })
    assert.equal((await sizes()).length, 1)
    await one.work({ id, settled: 10, open: 1 })
    await one.kill()
    using found = new Found(folder.path)
    assert.equal(found.spent(id, QUOTA), 1_011n)
    assert.equal(found.spent(id, 'total'), toPicodollars('101.3'))
    assert.equal(found.lost.length, 1)
  })

  test('serves on where nothing can be written, and writes all of it once that is possible', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'data')
    await mkdir(path)
    using found = new Found(path)
    const one = subject({ budget: BUDGET })
    const open = claim(one, { cost: '1' })
    found.memory.admit(open)
    await rm(path, { recursive: true })
    await waitFor(() => found.journal.failures > 0)
    const more = claim(one, { cost: '2' })
    assert.equal(found.memory.admit(more).refusal, null)
    found.memory.settle(more, used(1, '2'))
    await mkdir(path)
    const text = await waitFor(async () => {
      const [name] = (await journals(path)).filter((each) => each.endsWith('.journal'))
      return name !== undefined && readFile(join(path, name), 'utf8')
    })
    assert.match(text, new RegExp(open.id))
    assert.match(text, new RegExp(String(toPicodollars('2'))))
    assert.doesNotMatch(text, new RegExp(more.id))
  })
})
