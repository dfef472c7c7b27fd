/** What is kept on disk of transfers, and what a proxy that starts makes of it. */
import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'

import type { SnapshotPart } from '@millrace/shared'

import { temporaryFolder, type TemporaryFolder } from '../helpers/temporary.ts'
import { askWith, load, newToken, step, take, whole, type Loaded } from './snapshots/transfers.ts'

let folder: TemporaryFolder
let path: string
let proxy: Loaded
beforeEach(async () => {
  folder = await temporaryFolder()
  path = join(folder.path, 'snapshot.jsonl')
  proxy = load(folder.path)
})
afterEach(async () => {
  await proxy.file.close()
  await folder[Symbol.asyncDispose]()
})

/** Another process begins with what is on disk. */
async function restart(writes = true): Promise<void> {
  await proxy.file.close()
  proxy = load(folder.path, writes)
  await proxy.configuration.restore()
}

function revision(): number | null {
  return proxy.configuration.current?.revision ?? null
}

/** Whether it asks for what comes after what it has. */
function goesOn(): boolean {
  return proxy.configuration.position !== null
}

async function kept(): Promise<SnapshotPart[]> {
  const lines = (await readFile(path, 'utf8')).split('\n')
  assert.equal(lines.pop(), '', 'the last line has its end')
  return lines.map((line) => JSON.parse(line) as SnapshotPart)
}

/** The whole at revision 1 with one token, and two steps, each of which adds one. */
async function serveThree() {
  const made = [newToken(), newToken(), newToken()] as const
  await take(proxy, whole(1, [made[0].token]))
  await take(proxy, step(1, { tokens: [made[1].token] }))
  await take(proxy, step(2, { tokens: [made[2].token] }))
  return made
}

describe('a proxy that starts', () => {
  test('goes on from the whole and the steps since', async () => {
    const made = await serveThree()
    await restart()
    assert.equal(revision(), 3)
    for (const { token, clear } of made) assert.equal(askWith(proxy, clear[0]!), token.id)
    const parts = await kept()
    assert.deepEqual(
      parts.map(({ since, revision: to }) => [since, to]),
      [
        [null, 1],
        [1, 2],
        [2, 3],
      ],
    )
  })

  test('has nothing where there is nothing', async () => {
    await restart()
    assert.equal(revision(), null)
    assert.equal(proxy.configuration.position, null)
  })

  test('reads whatever has become of the end of the file: as far as it is whole', async () => {
    await serveThree()
    await proxy.file.close()
    const bytes = await readFile(path)
    const ends = [...bytes.keys()].filter((at) => bytes[at] === 0x0a).map((at) => at + 1)
    for (const [length, expected] of [
      [ends[2]! - 1, 2],
      [ends[1]! + 1, 2],
      [ends[1]!, 2],
      [ends[0]! + 20, 1],
      [ends[0]! - 1, null],
      [0, null],
    ] as const) {
      await writeFile(path, bytes)
      await truncate(path, length)
      await restart()
      assert.equal(revision(), expected, `${length} of ${bytes.length} bytes`)
    }
  })

  test('goes on after a torn end, and the next start finds what came then', async () => {
    const made = await serveThree()
    await proxy.file.close()
    await appendFile(path, '{"format":3,"revision":4,"mar')
    await restart()
    assert.equal(revision(), 3)
    const [fourth, fifth] = [newToken(), newToken()]
    await take(proxy, step(3, { tokens: [fourth.token] }))
    await take(proxy, step(4, { tokens: [fifth.token] }))
    await restart()
    assert.equal(revision(), 5)
    for (const { token, clear } of [...made, fourth, fifth]) assert.equal(askWith(proxy, clear[0]!), token.id)
    assert.equal((await kept()).length, 5)
  })

  test('counts no transfer that was not whole, and none that was refused', async () => {
    const { token } = newToken()
    await take(proxy, whole(1, [token]))
    await take(proxy, step(1, { tokens: [newToken().token, newToken().token] }, 1).slice(0, 1))
    proxy.configuration.lost()
    await take(proxy, step(1, { tokens: [newToken().token] }))
    await take(proxy, step(2, { tokens: [{ ...newToken().token, projectId: newToken().token.id }] }))
    await take(proxy, whole(7, [token], 1).slice(0, -1))
    await restart()
    assert.equal(revision(), 2)
  })

  test('finds no parts of a step that was broken off before a whole was', async () => {
    const { token } = newToken()
    await take(proxy, whole(1, [token]))
    await take(proxy, step(1, { tokens: [newToken().token, newToken().token] }, 1).slice(0, 1))
    proxy.configuration.lost()
    await take(proxy, whole(3, [token], 1).slice(0, -1))
    proxy.configuration.lost()
    await take(proxy, step(1, { tokens: [newToken().token] }))
    await restart()
    assert.equal(revision(), 2)
  })

  test('stops at what it cannot read, and is told the rest', async () => {
    await serveThree()
    await proxy.file.close()
    const [first, , third] = (await readFile(path, 'utf8')).split('\n')
    await writeFile(path, `${first}\ngarbage\n${third}\n`)
    await restart()
    assert.equal(revision(), 1)
    const { token, clear } = newToken()
    await take(proxy, step(1, { tokens: [token] }))
    await restart()
    assert.equal(revision(), 2)
    assert.equal(askWith(proxy, clear[0]!), token.id)
  })

  test('removes what earlier versions and killed processes have left', async () => {
    const [old, abandoned, fresh] = ['snapshot.json', 'snapshot.jsonl.1', 'snapshot.jsonl.2']
    for (const name of [old, abandoned, fresh]) await writeFile(join(folder.path, name), '{}')
    await utimes(join(folder.path, abandoned), 0, 0)
    await restart(false)
    assert.equal((await readdir(folder.path)).length, 3, 'one that does not keep the file does not')
    await restart()
    assert.deepEqual(await readdir(folder.path), [fresh])
  })
})

describe('the file', () => {
  test(
    'is for its owner alone, also after a start',
    { skip: process.platform === 'win32' && 'Windows has no file modes' },
    async () => {
      await serveThree()
      await restart()
      await take(proxy, step(3, { tokens: [newToken().token] }))
      await proxy.file.close()
      assert.deepEqual(await readdir(folder.path), ['snapshot.jsonl'])
      assert.equal((await stat(path)).mode & 0o777, 0o600)
    },
  )

  test('is written by one process of those that share it', async () => {
    await restart(false)
    await serveThree()
    await restart()
    assert.equal(revision(), null)
  })

  test('begins anew when its steps outweigh the whole', async () => {
    const { token } = newToken()
    await take(proxy, whole(1, [token]))
    const name = 'n'.repeat(100_000)
    let at = 1
    for (; goesOn(); at++) {
      assert.ok(at < 30)
      await take(proxy, step(at, { tokens: [{ ...token, name }] }))
    }
    assert.ok(at > 10)
    assert.equal(revision(), at)
    await take(proxy, whole(at, [token]))
    assert.equal(goesOn(), true)
    await proxy.file.close()
    assert.equal((await kept()).length, 1)
  })

  test('is asked for anew by one whose file another process has replaced', async (t) => {
    await serveThree()
    const other = load(folder.path)
    await other.configuration.restore()
    await take(other, step(3, { tokens: [newToken().token] }))
    await other.file.close()
    await take(proxy, step(3, { tokens: [newToken().token] }))
    await take(proxy, step(4, { tokens: [newToken().token] }))
    assert.equal(goesOn(), true, 'not at once')
    const later = performance.now() + 61_000
    t.mock.method(performance, 'now', () => later)
    assert.equal(goesOn(), false)
    await take(proxy, whole(5, [newToken().token]))
    assert.equal(goesOn(), true)
    await restart()
    assert.equal(revision(), 5)
  })

  test('is not begun with the beginning of what another process has put there meanwhile', async () => {
    await serveThree()
    await restart()
    const other = load(folder.path)
    await take(
      other,
      whole(
        9,
        Array.from({ length: 9 }, () => newToken().token),
      ),
    )
    await other.file.close()
    await take(proxy, step(3, { tokens: [newToken().token] }))
    await restart()
    assert.equal(revision(), 9)
  })

  test('that cannot be written stops nothing, and is older until it can', async () => {
    await serveThree()
    await proxy.file.close()
    const before = await readFile(path, 'utf8')
    await restart()
    await rm(path)
    const { token, clear } = newToken()
    assert.equal(await take(proxy, step(3, { tokens: [token] })), 'served')
    assert.equal(askWith(proxy, clear[0]!), token.id)
    await writeFile(path, before)
    assert.equal(await take(proxy, step(4, { tokens: [newToken().token] })), 'served')
    await restart()
    assert.equal(revision(), 3)
    await take(proxy, whole(9, [token]))
    await restart()
    assert.equal(revision(), 9)
  })
})
