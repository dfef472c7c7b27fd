/** Usage agrees with a full scan of the records: whatever is asked, in whichever state the sums are. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { RequestRecord } from '@millrace/shared'
import * as fc from 'fast-check'

import { EVERYWHERE, Scope } from '../../packages/control/dist/access/scope.js'
import { Retention } from '../../packages/control/dist/requests/retention.js'
import { deleteOldSums } from '../../packages/control/dist/usage/kept.js'
import { rebuildUsage } from '../../packages/control/dist/usage/rebuild.js'
import type { UsageQuery } from '../../packages/control/dist/usage/usage.type.js'
import { WAITING } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import { sample } from './sample.ts'
import { anyQuery, anyRecord, assertSame, DIMENSIONS, PERCENTILES, POOL, scan } from './usage-scan.ts'
import { onBareDatabases, RECORD_DAYS, store, usageReading } from './usage-stage.ts'

const RUNS = 3
const DAY_MS = 86_400_000
const NEVER = new AbortController().signal

const anyScope = fc.option(fc.subarray(POOL.projects), { freq: 3 })
const anyStep = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ stored: fc.array(anyRecord, { minLength: 1, maxLength: 40 }), again: fc.nat(10) }),
  },
  { weight: 2, arbitrary: fc.constant('sum up' as const) },
  { weight: 1, arbitrary: fc.constant('rebuild' as const) },
  { weight: 8, arbitrary: fc.record({ query: anyQuery, projects: anyScope }) },
)

await onBareDatabases((stage, kind) => {
  const stored = new Map<string, RequestRecord>()
  const keep = async (records: readonly RequestRecord[]): Promise<void> => {
    await store(stage, records)
    for (const record of records) stored.set(record.id, record)
  }
  const compare = async (query: UsageQuery, projects: readonly string[] | null = null): Promise<void> => {
    const found = await stage.usage.usage(new Scope(projects), query, PERCENTILES)
    assertSame(found, scan(stored.values(), query, projects), query)
  }
  const everything = { from: new Date(Date.now() - 80 * DAY_MS), to: new Date(Date.now() + DAY_MS) }

  test('at every moment, for any question', async () => {
    const property = fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 25 }), async (steps) => {
      for (const step of steps) {
        if (step === 'sum up') await stage.compaction.step()
        else if (step === 'rebuild') await rebuildUsage(stage.database, RECORD_DAYS, () => undefined, NEVER)
        else if ('query' in step) await compare(step.query, step.projects)
        else await keep([...step.stored, ...[...stored.values()].slice(-step.again)])
      }
    })
    // What is stored stays from run to run: a shorter example would be another one.
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
    await stage.compaction.run(NEVER)
    for (const dimension of DIMENSIONS) await compare({ ...everything, interval: 'DAY', groupBy: [dimension] })
  })

  test('of a busy group, whose sketches are shortened', async () => {
    const at = new Date(Date.now() - 10 * DAY_MS).toISOString()
    const busy = Array.from({ length: 600 }, (_, i) =>
      sample({
        projectId: POOL.projects[0]!,
        tokenId: null,
        startedAt: at,
        model: 'busy',
        latencyMs: 1.03 ** i,
        timeToFirstTokenMs: i % 3 ? i : null,
        attempts: [],
        decision: null,
      }),
    )
    for (let i = 0; i < busy.length; i += 300) {
      await keep(busy.slice(i, i + 300))
      await stage.compaction.run(NEVER)
    }
    await compare({ ...everything, interval: 'HOUR', filter: { model: 'busy' } })
    const [row] = await stage.database
      .em()
      .execute<{ longest: number }[]>('select max(length(latency))::integer as longest from usage_day')
    assert.ok(row!.longest <= 1_400, `a sketch of ${row!.longest} bytes`)
  })

  test('what single requests alone can tell is not read of too many', async () => {
    const few = usageReading(stage, { read: 10 })
    const refused = {
      message: /would have to read more than 10 requests one by one/,
      extensions: { code: 'BAD_USER_INPUT', field: 'query' },
    }
    await assert.rejects(few.usage(EVERYWHERE, { ...everything, filter: { minLatencyMs: 1 } }, PERCENTILES), refused)
    await assert.rejects(few.usage(EVERYWHERE, { ...everything, filter: { search: 'x' } }, PERCENTILES), refused)
    const [record] = stored.values()
    const query = { ...everything, filter: { requestId: record!.requestId } }
    assertSame(await few.usage(EVERYWHERE, query, PERCENTILES), scan(stored.values(), query), query)
  })

  test('too many buckets are refused, and ten thousand are not', async () => {
    const day = new Date(Date.UTC(2001, 0, 1))
    const query: UsageQuery = { from: day, to: new Date(+day + 2 * DAY_MS), groupBy: ['MODEL'] }
    await stage.database.em().execute(
      `insert into usage_delta
       select timestamptz '2001-01-01Z' + case when i > 10000 then interval '24 hours' else interval '0' end,
         null, null, 'model ' || i, null, null, 'SUCCESS', '', false, 'MISS', null, 1, 0, 0, 0, 0, 0,
         '\\x000100000001', ''
       from generate_series(1, 10001) as i`,
    )
    await assert.rejects(stage.usage.usage(EVERYWHERE, query, new Set()), {
      message: /more than 10000 buckets/,
      extensions: { code: 'BAD_USER_INPUT', field: 'query' },
    })
    const first: UsageQuery = { from: day, to: new Date(+day + DAY_MS), groupBy: ['MODEL'] }
    assert.equal((await stage.usage.usage(EVERYWHERE, first, new Set())).length, 10_000)
    for (const [sketchBytes, selected] of [
      [60_000, PERCENTILES],
      [59_999, new Set<string>()],
    ] as const)
      await usageReading(stage, { sketchBytes }).usage(EVERYWHERE, first, selected)
    await assert.rejects(usageReading(stage, { sketchBytes: 59_999 }).usage(EVERYWHERE, first, PERCENTILES), {
      message: /too many percentiles/,
    })
    await stage.database.em().execute(`delete from usage_delta where minute < '2002-01-01Z'`)
  })

  test(
    'while records are stored and summed up, by several at once',
    { skip: kind === 'PGlite' && 'one connection' },
    async () => {
      const BATCH = 7
      const query = { ...everything, interval: 'TOTAL' as const, filter: { model: 'at once' } }
      const count = async (): Promise<number> =>
        (await stage.usage.usage(EVERYWHERE, query, new Set())).reduce((sum, { requests }) => sum + requests, 0)
      let [done, last, answers] = [0, 0, 0]
      const isEnough = (batches: number): boolean => batches >= 15 && (answers > 3 || batches >= 500)
      const storing = async (): Promise<void> => {
        for (let i = 0; !isEnough(i); i++) {
          const batch = fc.sample(anyRecord, BATCH).map((record) => ({ ...record, model: 'at once' }))
          await keep(batch)
          done += BATCH
        }
      }
      const over = new AbortController()
      const folding = async (): Promise<void> => {
        while (!over.signal.aborted) await stage.compaction.run(NEVER)
      }
      const rebuilding = async (): Promise<void> => {
        while (!over.signal.aborted) await rebuildUsage(stage.database, RECORD_DAYS, () => undefined, NEVER)
      }
      const asking = async (): Promise<void> => {
        while (!over.signal.aborted) {
          const before = done
          const now = await count()
          assert.equal(now % BATCH, 0, 'a batch is seen whole or not at all')
          assert.ok(now >= before && now >= last, `${now} after ${before} and ${last}`)
          last = now
          answers++
        }
      }
      const others = [folding(), folding(), rebuilding(), asking()]
      await Promise.all([storing(), storing()]).finally(() => over.abort())
      await Promise.all(others)
      assert.equal(await count(), done)
      assert.ok(answers > 3)
      await compare({ ...everything, interval: 'DAY', groupBy: ['STATUS'] })
    },
  )

  test('however many ask, records are stored', { skip: kind === 'PGlite' && 'one connection' }, async () => {
    const query = { ...everything, interval: 'DAY' as const }
    const [locked, held, over] = Array.from({ length: 3 }, () => Promise.withResolvers<void>())
    const locking = stage.database.em().transactional(async (em) => {
      await em.execute('lock table usage_day in access exclusive mode')
      locked!.resolve()
      await waitFor(async () => (await em.execute<object[]>(WAITING)).length >= 3)
      held!.resolve()
      await over!.promise
    })
    await locked!.promise
    const asked = Promise.allSettled(Array.from({ length: 40 }, () => stage.usage.usage(EVERYWHERE, query, new Set())))
    await Promise.race([held!.promise, locking])
    await keep([sample({ attempts: [], decision: null })]).finally(() => over!.resolve())
    await Promise.all([locking, asked])
  })

  describe('of what is kept no longer', () => {
    const old = sample({ startedAt: new Date(Date.now() - 40 * DAY_MS).toISOString(), attempts: [], decision: null })
    const days = { from: new Date(Date.UTC(2020, 0, 1)), to: new Date(Date.UTC(2099, 0, 1)) }
    const day = new Date(Math.floor(Date.parse(old.startedAt) / DAY_MS) * DAY_MS)
    const later = Date.now() + 60 * DAY_MS

    test('days are told, and what is finer is refused', async () => {
      await keep([old])
      await stage.compaction.run(NEVER)
      // With its records, before anybody else has noted that they go.
      const settings = { MILLRACE_RECORD_DAYS: 30, MILLRACE_DECISION_DAYS: 30, MILLRACE_DEBUG_DAYS: 7 }
      await new Retention(stage.database, settings).keepUp(NEVER, new Date(later))
      while (await deleteOldSums(stage.database.em(), later));
      const left = await stage.database
        .em()
        .execute<{ hours: number; days: number }[]>(
          'select (select count(*)::integer from usage_hour) as hours, (select count(*)::integer from usage_day) as days',
        )
      assert.deepEqual([left[0]!.hours, left[0]!.days > 0], [0, true])
      await compare({ ...days, interval: 'MONTH', groupBy: ['MODEL', 'TOKEN'] })
      await compare({ from: day, to: new Date(+day + DAY_MS), interval: 'DAY' })
      const refused = {
        message:
          /cannot be told exactly any more: there are sums of minutes from \d{4}-.* whole days \(UTC\) of all time/,
        extensions: { code: 'BAD_USER_INPUT', field: 'query' },
      }
      for (const query of [
        { from: day, to: new Date(+day + DAY_MS - 1), interval: 'DAY' },
        { from: new Date(+day + 3_600_000), to: new Date(+day + 2 * DAY_MS), interval: 'DAY' },
        { from: day, to: new Date(+day + DAY_MS), interval: 'HOUR' },
        { from: day, to: new Date(+day + DAY_MS), interval: 'DAY', filter: { minLatencyMs: 1 } },
      ] satisfies UsageQuery[])
        await assert.rejects(stage.usage.usage(EVERYWHERE, query, PERCENTILES), refused, JSON.stringify(query))
    })

    test('no rebuild takes it away', async () => {
      await rebuildUsage(stage.database, RECORD_DAYS, () => undefined, NEVER)
      await compare({ ...days, interval: 'MONTH', groupBy: ['MODEL', 'TOKEN'] })
    })
  })
})
