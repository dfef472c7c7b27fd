/** The publisher of snapshots: what a change costs it, and what it tells whom, on each database. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'

import { MOST_IN_PART, newId, type SnapshotProject } from '@millrace/shared'

import { databases } from '../helpers/postgres.ts'
import { part, Publishing, transfer } from './publishing.ts'

const found = await databases()
after(() => found.close())
const pglite = found.kinds.find(({ name }) => name === 'PGlite')!

for (const kind of found.kinds) {
  describe(`on ${kind.name}`, { skip: kind.skip }, () => {
    test('a transfer is told to its end, and all that came meanwhile in the next', async () => {
      await using publishing = await Publishing.start(kind, 3 * MOST_IN_PART)
      const { publisher } = publishing
      const slow = publisher.subscribe(null)
      const first = await part(slow)
      const ids = await publishing.tokens(30)
      for (const [i, id] of ids.entries()) await publishing.rename([id], `renamed ${i}`)
      await publishing.rename(ids.slice(0, 1), 'renamed again')
      await publisher.refresh()
      const rest = await transfer(slow)
      assert.deepEqual([first.revision, rest.revision, rest.since], [1, 1, null])
      const told = [first, ...rest.parts].flatMap(({ tokens }) => tokens as { name: string }[])
      assert.equal(told.length, 3 * MOST_IN_PART)
      assert.ok(told.every(({ name }) => name.startsWith('token ')))

      const next = await transfer(slow)
      assert.deepEqual([next.revision, next.since, next.parts.length], [32, 1, 1])
      assert.deepEqual(
        new Map(next.tokens.map(({ id, name }) => [id, name])),
        new Map(ids.map((id, i) => [id, i === 0 ? 'renamed again' : `renamed ${i}`])),
      )
      assert.deepEqual([next.parts[0]!.replaces, next.parts[0]!.projects], [[], []])
      await slow.return()
    })

    test('who waits is told of what comes, and is let go when it leaves', async () => {
      await using publishing = await Publishing.start(kind, 1)
      const { publisher } = publishing
      const [staying, leaving] = [publisher.subscribe(null), publisher.subscribe(null)]
      await Promise.all([transfer(staying), transfer(leaving)])
      const [told, gone] = [transfer(staying), leaving.next()]
      await leaving.return()
      assert.equal((await gone).done, true)
      assert.equal((await leaving.next()).done, true)
      await publishing.rename(await publishing.tokens(1), 'renamed')
      assert.deepEqual(
        (await told).tokens.map(({ name }) => name),
        ['renamed'],
      )
      await staying.return()
    })

    test('where it is not known what has changed, everything is told', async () => {
      await using publishing = await Publishing.start(kind, 2)
      const { publisher } = publishing
      const [id] = (await publishing.tokens(1)) as [string]
      const told = publisher.subscribe(null)
      const { mark } = await transfer(told)
      const unnamed = [
        [{ kind: 'something new', id }],
        [{ kind: 'token' }],
        [{ kind: 'tokens', id: 'no id' }],
        Array.from({ length: 5_001 }, () => ({ kind: 'token', id: newId() })),
      ]
      for (const [i, touched] of unnamed.entries()) {
        await publishing.change(async (execute) => {
          await execute('update token set name = ? where id = ?', [`unnamed ${i}`, id])
          return touched
        })
        const next = await transfer(told)
        assert.deepEqual([next.revision, next.since, next.mark, next.tokens.length], [i + 2, null, mark, 2])
        assert.equal(next.tokens.find((token) => token.id === id)!.name, `unnamed ${i}`)
      }
      await publishing.change(async () => [{ kind: 'adminKey', id: newId() }])
      const nothing = await transfer(told)
      assert.deepEqual([nothing.since, nothing.parts[0]!.replaces, nothing.tokens], [5, [], []])
      assert.deepEqual(publishing.logged, [])
    })

    test('a database that was set back and has gone on since is known by its revisions', async () => {
      await using publishing = await Publishing.start(kind, 2)
      const { publisher, database } = publishing
      const [one, other] = (await publishing.tokens(2)) as [string, string]
      await publishing.rename([one], 'before')
      await publisher.refresh()
      const before = publisher.subscribe(null)
      const { mark } = await transfer(before)
      // As a backup that is restored between two looks: at the same number stands another revision, and one after it.
      await database.em().transactional(async (em) => {
        await em.execute(`update token set name = 'restored' where id = ?`, [one])
        await em.execute('delete from config_revision where number = 2')
        for (const number of [2, 3])
          await em.execute(
            `insert into config_revision (number, created_at, author, changes)
             values (?, now() + interval '1 second', 'other', ?::jsonb)`,
            [number, JSON.stringify([{ kind: 'token', identity: { id: other } }])],
          )
      })
      await publisher.refresh()
      const now = await transfer(before)
      assert.deepEqual([now.revision, now.since], [3, null])
      assert.notEqual(now.mark, mark)
      assert.equal(now.tokens.find(({ id }) => id === one)!.name, 'restored')
      assert.ok(publishing.logged.some((line) => /^error .*set back/.test(line)))
      const stale = await transfer(publisher.subscribe({ revision: 2, mark }))
      assert.equal(stale.since, null)
      const current = await transfer(publisher.subscribe({ revision: 3, mark: now.mark }))
      assert.deepEqual([current.since, current.tokens], [3, []])
    })

    test('what is used is read for those that have a quota or a budget, when they are told', async () => {
      await using publishing = await Publishing.start(kind, MOST_IN_PART + 10)
      const { publisher, project } = publishing
      const day = JSON.stringify({ limitUsd: '5', period: 'DAY' })
      const [spender, counted] = (await publishing.tokens(2)) as [string, string]
      await publishing.change(async (execute) => {
        await execute('update token set budget = ?::jsonb where id = ?', [day, spender])
        await execute('update token set max_requests = 9 where id = ?', [counted])
        await execute(`update project set budget = ?::jsonb`, [JSON.stringify({ limitUsd: '7', period: 'TOTAL' })])
        return [...[spender, counted].map((id) => ({ kind: 'token', id })), { kind: 'project', id: project }]
      })
      await publisher.refresh()
      publishing.used = new Map([
        [spender, { spentUsd: '1.0000000000010000001', requests: 3 }],
        [counted, { spentUsd: '2.5', requests: 4 }],
      ])
      const today = new Date().toISOString().slice(0, 10)
      const told = await transfer(publisher.subscribe(null))
      assert.deepEqual(new Set(publishing.asked.flat().map(({ id }) => id)), new Set([spender, counted, project]))
      const usedBy = (id: string) => told.tokens.find((token) => token.id === id)!.used
      assert.deepEqual(usedBy(spender), { window: today, spentUsd: '1.000000000002', requests: 3 })
      assert.deepEqual(usedBy(counted), { window: null, spentUsd: '2.5', requests: 4 })
      assert.deepEqual((told.parts[0]!.projects[0] as SnapshotProject).used, {
        window: 'total',
        spentUsd: '0',
        requests: 0,
      })
      assert.equal(told.tokens.filter(({ used }) => used !== null).length, 2)

      publishing.asked.length = 0
      publishing.used = new Error('away')
      await publishing.change(async (execute) => {
        await execute('update token set max_requests = 1')
        return [{ kind: 'tokens', id: project }]
      })
      await publisher.refresh()
      const without = await transfer(publisher.subscribe(null))
      assert.deepEqual([without.tokens.length, without.parts.length], [MOST_IN_PART + 10, 2])
      assert.ok(without.tokens.every(({ used }) => used === null))
      assert.equal(publishing.asked.length, 1, 'it is not asked again for each part')
      assert.ok(publishing.asked[0]!.length <= MOST_IN_PART)
      assert.equal(publishing.logged.filter((line) => /^warn .*used of budgets/.test(line)).length, 1)
    })
  })
}

test('a change costs what it changes, of 10,000 tokens', async () => {
  await using publishing = await Publishing.start(pglite, 10_000)
  const { publisher, database, project } = publishing
  /** Rows of a table that the database has read so far, as it counts itself. One session: its counters are up to date. */
  const read = async (table: string): Promise<number> => {
    await database.em().execute('select pg_stat_force_next_flush()')
    const [row] = await database
      .em()
      .execute<{ read: number }[]>(
        `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_user_tables where relname = ?`,
        [table],
      )
    return row!.read
  }
  const proxy = publisher.subscribe(null)
  const whole = await transfer(proxy)
  assert.equal(whole.tokens.length, 10_000)
  const ids = await publishing.tokens(40)

  /** What publishing costs: rows of tokens and of aliases read, and bytes told. */
  const costs = async (touched: readonly { kind: string; id: string }[], sql = 'select 1') => {
    await database.em().execute(sql)
    const before = [await read('token'), await read('alias'), await read('provider')]
    await publishing.change(async () => touched)
    await publisher.refresh()
    const rows = [await read('token'), await read('alias'), await read('provider')].map((now, i) => now - before[i]!)
    const told = await transfer(proxy)
    return { rows, told, bytes: told.parts.reduce((sum, one) => sum + JSON.stringify(one).length, 0) }
  }
  const token = (id: string) => ({ kind: 'token', id })

  const one = await costs([token(ids[0]!)], `update token set name = 'one' where id = '${ids[0]}'`)
  assert.deepEqual([one.rows[0], one.told.tokens.length], [1, 1])
  assert.ok(one.bytes < 1_000, `${one.bytes} bytes`)
  const many = await costs(ids.map(token), `update token set name = 'many' where id in ('${ids.join("','")}')`)
  assert.deepEqual([many.rows[0], many.told.tokens.length], [40, 40])
  const hidden = await costs([token(ids[0]!)], `update token set metadata = '{"a": 1}' where id = '${ids[0]}'`)
  assert.deepEqual([hidden.rows[0], hidden.told.tokens.length], [1, 0], 'what proxies are not told of')
  const projects = await costs([{ kind: 'project', id: project }], 'update project set active = false')
  assert.deepEqual([projects.rows[0], projects.told.tokens.length], [0, 0])
  const routing = await costs([{ kind: 'alias', id: newId() }])
  assert.deepEqual([routing.rows[0], routing.told.parts[0]!.replaces], [0, ['routing']])
  const keys = await costs([{ kind: 'adminKey', id: newId() }])
  assert.deepEqual(keys.rows, [0, 0, 0])
  const removed = await costs([token(ids[1]!)], `delete from token where id = '${ids[1]}'`)
  assert.deepEqual([removed.rows[0], removed.told.parts[0]!.removedTokens], [0, [ids[1]]])

  const again = publisher.subscribe({ revision: many.told.revision, mark: whole.mark })
  const missed = await transfer(again)
  assert.deepEqual([missed.since, missed.tokens, missed.parts[0]!.removedTokens], [3, [], [ids[1]]])

  // As keepUp does, so that the pages of a project are read by their index.
  await database.em().execute('analyze token')
  const revoked = await costs(
    [{ kind: 'tokens', id: project }],
    `update token set revoked_at = now() where id > '${ids[39]}'`,
  )
  assert.deepEqual([revoked.told.since, revoked.told.tokens.length], [8, 9_960])
  assert.ok(revoked.rows[0]! < 11_000, `${revoked.rows[0]} rows`)
})
