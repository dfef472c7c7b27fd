/** Pages of records: all that a filter means and nothing else, whichever way they are found, on each database. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import { newId, type RequestRecord } from '@millrace/shared'
import pg from 'pg'

import { EVERYWHERE, Scope } from '../../packages/control/dist/access/scope.js'
import { matchesDecision, readDecisionFilter } from '../../packages/control/dist/decisions/decision.filter.js'
import { DecisionService } from '../../packages/control/dist/decisions/decision.service.js'
import { matches, readFilter } from '../../packages/control/dist/requests/request.filter.js'
import { requestQuestion } from '../../packages/control/dist/requests/request.question.js'
import { RequestService } from '../../packages/control/dist/requests/request.service.js'
import { insertRecords } from '../../packages/control/dist/requests/request.store.js'
import { Retention } from '../../packages/control/dist/requests/retention.js'
import { sample } from './sample.ts'
import { onEachStore, type Store } from './stores.ts'

const DAY_MS = 86_400_000
const SETTINGS = { MILLRACE_RECORD_DAYS: 400, MILLRACE_DECISION_DAYS: 400, MILLRACE_DEBUG_DAYS: 2 }
const { signal } = new AbortController()
/** More than a page's first look takes in. */
const COUNT = 2_600
const ids = (count: number): string[] => Array.from({ length: count }, newId)
const [projects, tokens, providers, routes] = [ids(4), ids(6), ids(3), ids(3)]
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS
const STATUSES = ['SUCCESS', 'SUCCESS', 'SUCCESS', 'ERROR', 'TIMEOUT'] as const

/** Some hundred of each moment; over days with gaps between them, one of them long ago, one to come. */
function recordOf(i: number): RequestRecord {
  const days = [0, -1, -2, -6, -7, -150, 20][i % 7]!
  const startedAt = new Date(TODAY + days * DAY_MS + (i % 5) * 1_000).toISOString()
  const status = STATUSES[i % STATUSES.length]!
  const rare = i % 1_299 === 7
  const record = sample({
    startedAt,
    projectId: projects[i % 4]!,
    tokenId: tokens[i % 6]!,
    aliasId: routes[i % 3]!,
    providerId: providers[i % 3]!,
    model: rare ? 'rare' : `model ${i % 3}`,
    status,
    errorClass: status === 'SUCCESS' ? null : rare ? 'internal_error' : 'all_routes_failed',
    errorMessage: rare ? `the Answer is ${i}` : null,
    stream: i % 2 === 0,
    cache: i % 50 === 0 ? 'HIT' : 'MISS',
    latencyMs: rare ? 90_000 + i : (i % 700) + 0.5,
    costUsd: i % 4 === 0 ? null : rare ? '7.5' : `0.0000${i % 10}`,
    userKey: `user ${i % 10}`,
    requestId: i % 3 === 0 ? 'the same' : newId(),
  })
  const attempts = record.attempts.map((one) => ({
    ...one,
    routeId: routes[i % 3]!,
    providerId: providers[rare ? 0 : i % 3]!,
  }))
  const decision = { ...record.decision!, selectedRouteId: routes[i % 3]!, fallbackUsed: i % 900 === 1 }
  return { ...record, attempts, decision: i % 11 === 0 ? null : decision }
}

const key = ({ startedAt, id }: { startedAt: string; id: string }): string => startedAt + id
const newest = (records: readonly RequestRecord[]): string[] =>
  records.toSorted((a, b) => (key(a) < key(b) ? 1 : -1)).map(({ id }) => id)

const BOTH: readonly Record<string, unknown>[] = [
  {},
  { project: projects[1] },
  { project: newId() },
  { token: tokens[2] },
  { token: tokens[2], project: projects[0] },
  { token: tokens[2], project: projects[1] },
  { errorClass: 'internal_error' },
  { requestId: 'the same' },
  { requestId: 'none, {with} "all" kinds, of \\ characters' },
  { from: new Date(TODAY - 6 * DAY_MS), to: new Date(TODAY - DAY_MS + 2_000) },
  { from: new Date(TODAY + DAY_MS) },
  { to: new Date(TODAY - 100 * DAY_MS) },
  { from: new Date(TODAY), to: new Date(TODAY) },
]
const REQUESTS: readonly Record<string, unknown>[] = [
  ...BOTH,
  { model: 'model 1' },
  { model: 'rare' },
  { model: 'model 1', status: ['TIMEOUT'] },
  { provider: providers[2], project: projects[3] },
  { status: ['ERROR', 'TIMEOUT'], errorClass: 'all_routes_failed' },
  { status: [] },
  { stream: true, cache: ['HIT'] },
  { minLatencyMs: 699 },
  { minLatencyMs: 90_000 },
  { minLatencyMs: 1e9 },
  { minLatencyMs: 0 },
  { minCostUsd: '0' },
  { minCostUsd: '0.00009' },
  { minCostUsd: '7.5' },
  { minCostUsd: '7.50000000000000001' },
  { minLatencyMs: 90_000, minCostUsd: '1', stream: false },
  { search: 'USER 3' },
  { search: 'answer' },
  { search: 'answer is 7' },
  { search: 'is' },
  { search: '_' },
  { search: 'rare\nthe' },
  { search: 'answer', token: tokens[1] },
]
const DECISIONS: readonly Record<string, unknown>[] = [
  ...BOTH,
  { alias: routes[0] },
  { route: routes[1], token: tokens[1] },
  { provider: providers[0] },
  { provider: newId() },
  { stickyHit: true },
  { stickyHit: false, fallbackUsed: true },
  { fallbackUsed: true, alias: routes[1] },
]

await onEachStore((store) => {
  const all = Array.from({ length: COUNT }, (_, i) => recordOf(i))
  before(() => fill(store, all))

  for (const filter of REQUESTS)
    test(`requests: ${JSON.stringify(filter)}`, async () => {
      const requests = new RequestService(store.database)
      const read = readFilter(filter)
      const wanted = all.filter((record) => matches(read, record))
      assert.deepEqual(await pages((first, after) => requests.page(EVERYWHERE, filter, first, after)), newest(wanted))
    })

  for (const filter of DECISIONS)
    test(`decisions: ${JSON.stringify(filter)}`, async () => {
      const decisions = new DecisionService(store.database, null as never)
      const read = readDecisionFilter(filter)
      const wanted = all.filter((record) => record.decision !== null && matchesDecision(read, record as never))
      assert.deepEqual(await pages((first, after) => decisions.page(EVERYWHERE, filter, first, after)), newest(wanted))
    })

  test('a key that is bound to projects sees theirs', async () => {
    const requests = new RequestService(store.database)
    const scope = new Scope([projects[0]!, projects[2]!])
    const own = all.filter(({ projectId, stream }) => scope.isOwn(projectId) && stream)
    assert.deepEqual(await pages((first, after) => requests.page(scope, { stream: true }, first, after)), newest(own))
    const [foreign] = all.filter(({ projectId }) => projectId === projects[1])
    assert.equal(await requests.findById(scope, foreign!.id), null)
    assert.equal(await requests.findById(new Scope([]), own[0]!.id), null)
  })

  test('a record is found by its id, whenever it says that it was made', async () => {
    const requests = new RequestService(store.database)
    const record = all.find(({ startedAt }) => Date.parse(startedAt) < TODAY - 100 * DAY_MS)!
    assert.deepEqual(await requests.findById(EVERYWHERE, record.id), record)
    assert.equal(await requests.findById(EVERYWHERE, newId()), null)
    for (const version of [4, 7])
      assert.equal(await requests.findById(EVERYWHERE, `ffffffff-ffff-${version}fff-8fff-ffffffffffff`), null)
    const { id } = all
      .filter(({ requestId }) => requestId === 'the same')
      .sort((a, b) => (key(a) < key(b) ? 1 : -1))[0]!
    assert.equal((await requests.findByRequestId(EVERYWHERE, 'the same'))!.id, id)
  })

  test('models that the database takes for one group are told apart', async () => {
    const [same] = await store.database.em().execute<{ model: string }[]>(
      `select 'm' || n as model from generate_series(1, 100000) as n
       where model_group('m' || n) = model_group('model 0') limit 1`,
    )
    const { model } = same!
    await insertRecords(
      store.database.em(),
      JSON.stringify([sample({ model, startedAt: new Date(TODAY - 7 * DAY_MS).toISOString() })]),
    )
    const requests = new RequestService(store.database)
    for (const filter of [{ model }, { model, search: model }, { model, minLatencyMs: 1, minCostUsd: '0' }]) {
      const { edges } = await requests.page(EVERYWHERE, filter, 2, null)
      assert.deepEqual(
        edges.map(({ node }) => node.model),
        [model],
      )
    }
  })

  test('what takes too long is refused, with what would help', async (context) => {
    if (store.url === null) return context.skip('PGlite ends no statement')
    const client = new pg.Client({ connectionString: store.url })
    await client.connect()
    try {
      await client.query(`create or replace function model_group(model text) returns smallint language plpgsql immutable
        as $$ begin perform pg_sleep(7); return 0; end $$`)
      const requests = new RequestService(store.database)
      await assert.rejects(requests.page(EVERYWHERE, { model: 'any' }, 5, null), (error: any) => {
        assert.deepEqual([error.extensions.code, error.extensions.field], ['BAD_USER_INPUT', 'filter'])
        assert.match(error.message, /narrow it by from and to/)
        return true
      })
    } finally {
      await client.end()
    }
  })
})

test('the index on what is searched is used for what it can tell', () => {
  const ways = (search: string): number => requestQuestion({ search }, EVERYWHERE, true).ways.length
  for (const search of ['abc', 'a%abc', 'Grüße']) assert.equal(ways(search), 1, search)
  // Less than a trigram, and what is asked of each text by itself.
  for (const search of ['ab', '% _', 'abc\nabc']) assert.equal(ways(search), 0, search)
})

async function fill({ database }: Store, all: readonly RequestRecord[]): Promise<void> {
  for (let i = 0; i < all.length; i += 1_000)
    await insertRecords(database.em(), JSON.stringify(all.slice(i, i + 1_000)))
  // Some days get a partition, others none.
  await new Retention(database, SETTINGS).keepUp(signal)
}

/** The ids of all, by pages of as many as may be asked for. */
async function pages(
  page: (
    first: number,
    after: string | null,
  ) => Promise<{
    readonly edges: readonly { readonly node: { readonly id: string } }[]
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  }>,
): Promise<string[]> {
  const found: string[] = []
  for (let after: string | null = null; ;) {
    const { edges, pageInfo }: Awaited<ReturnType<typeof page>> = await page(500, after)
    found.push(...edges.map(({ node }) => node.id))
    if (!pageInfo.hasNextPage) return found
    after = pageInfo.endCursor
  }
}
