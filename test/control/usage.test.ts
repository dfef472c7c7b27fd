/** What an operator can ask of usage, over GraphQL. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'

import { INGEST_RECORDS_MUTATION, newId, type RequestRecord } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const COUNTS =
  'requests errors cancelled cacheHits coalesced inputTokens outputTokens cachedInputTokens reasoningTokens costUsd'
const USAGE = `query ($query: UsageQuery!) { it: usage(query: $query) { start dimensions ${COUNTS} } }`
const NAMED = `query ($query: UsageQuery!) {
  it: usage(query: $query) { dimensions project { name } token { name } provider { name } }
}`
const QUICKNESS = `
  fragment Times on UsageBucket { latencyP50Ms ... on UsageBucket { latencyP99Ms } }
  query ($query: UsageQuery!) { it: usage(query: $query) { requests timeToFirstTokenP50Ms ...Times } }`
const CREATE_KEY =
  'mutation ($projects: [ID!]) { it: createAdminKey(name: "bound", role: VIEWER, projects: $projects) { secret } }'

const DAY_MS = 86_400_000

await onEachDatabase((stage) => {
  const ask = async (document: string, variables: object, key?: string): Promise<any> =>
    (await stage.control.gql<any>(document, variables as Record<string, unknown>, key ?? stage.control.adminKey)).it
  const store = (records: readonly RequestRecord[]): Promise<unknown> =>
    stage.control.gql(INGEST_RECORDS_MUTATION, { records }, stage.control.proxyKey)

  /** Not long ago, in the middle of a day. */
  const day = Math.floor((Date.now() - 5 * DAY_MS) / DAY_MS) * DAY_MS
  const at = (ms: number): string => new Date(day + ms).toISOString()
  const query = { from: at(0), to: at(2 * DAY_MS) }
  const names = { project: uniqueName('usage'), token: uniqueName('usage'), provider: uniqueName('usage') }
  let [project, token, provider] = ['', '', '']
  const gone = newId()

  before(async () => {
    project = (await ask(documents.CREATE_PROJECT, { input: { name: names.project } })).id
    token = (await ask(documents.CREATE_TOKEN, { input: { name: names.token, project } })).token.id
    provider = (await ask(documents.CREATE_PROVIDER, { input: { name: names.provider, kind: 'SIMULATED' } })).id
    const own = { projectId: project, tokenId: token, providerId: provider, decision: null, attempts: [] }
    const others = { ...own, projectId: gone, tokenId: null, providerId: null, providerModel: null }
    await store([
      sample({ ...own, startedAt: at(1), costUsd: '0.1', latencyMs: 100, timeToFirstTokenMs: null }),
      sample({
        ...own,
        startedAt: at(2),
        costUsd: '0.2',
        latencyMs: 300,
        timeToFirstTokenMs: null,
        cache: 'COALESCED',
      }),
      sample({ ...own, startedAt: at(DAY_MS), costUsd: '0.00000000000000000001', latencyMs: 5, timeToFirstTokenMs: 2 }),
      sample({ ...own, startedAt: at(DAY_MS), costUsd: '5', billed: false, cache: 'HIT' }),
      sample({ ...others, startedAt: at(DAY_MS), status: 'TIMEOUT', costUsd: null }),
      sample({ ...others, startedAt: at(DAY_MS), status: 'CANCELLED', costUsd: '7' }),
      sample({ ...others, startedAt: at(2 * DAY_MS), status: 'ERROR' }),
    ])
  })

  const counted = { inputTokens: 5, outputTokens: 3, cachedInputTokens: 1, reasoningTokens: 1 }
  const times = (n: number): object => Object.fromEntries(Object.entries(counted).map(([name, one]) => [name, n * one]))
  const bucket = (start: number, dimensions: object, more: object): object => ({
    start: at(start),
    dimensions,
    errors: 0,
    cancelled: 0,
    cacheHits: 0,
    coalesced: 0,
    ...more,
  })

  test('by day, by default, of everything', async () => {
    assert.deepEqual(await ask(USAGE, { query }), [
      bucket(0, {}, { requests: 2, coalesced: 1, ...times(2), costUsd: '0.3' }),
      bucket(
        DAY_MS,
        {},
        { requests: 4, errors: 1, cancelled: 1, cacheHits: 1, ...times(3), costUsd: '7.00000000000000000001' },
      ),
    ])
  })

  test('grouped, also by what is nowhere any more', async () => {
    const groupBy = ['PROJECT', 'STATUS']
    const found = await ask(USAGE, { query: { ...query, interval: 'TOTAL', groupBy } })
    const expected = [
      bucket(0, { PROJECT: gone, STATUS: 'CANCELLED' }, { requests: 1, cancelled: 1, ...times(1), costUsd: '7' }),
      bucket(0, { PROJECT: gone, STATUS: 'TIMEOUT' }, { requests: 1, errors: 1, ...times(1), costUsd: '0' }),
      bucket(
        0,
        { PROJECT: project, STATUS: 'SUCCESS' },
        {
          requests: 4,
          cacheHits: 1,
          coalesced: 1,
          ...times(3),
          costUsd: '0.30000000000000000001',
        },
      ),
    ]
    assert.deepEqual(found, gone < project ? expected : [...expected.slice(2), ...expected.slice(0, 2)])
    const named = await ask(NAMED, { query: { ...query, interval: 'TOTAL', groupBy: ['TOKEN', 'PROVIDER', 'TOKEN'] } })
    assert.deepEqual(named, [
      {
        dimensions: { TOKEN: token, PROVIDER: provider },
        project: null,
        token: { name: names.token },
        provider: { name: names.provider },
      },
      { dimensions: { TOKEN: null, PROVIDER: null }, project: null, token: null, provider: null },
    ])
  })

  test('with percentiles, also where fragments ask for them', async () => {
    const [first, second] = await ask(QUICKNESS, { query: { ...query, filter: { project } } })
    assert.deepEqual([first.requests, first.timeToFirstTokenP50Ms], [2, null])
    for (const [found, exactly] of [
      [first.latencyP50Ms, 100],
      [first.latencyP99Ms, 300],
      [second.timeToFirstTokenP50Ms, 2],
    ])
      assert.ok(Math.abs(found / exactly - 1) <= 0.05, `${found}, exactly ${exactly}`)
  })

  test('a key that is bound sees its own', async () => {
    const { secret } = await ask(CREATE_KEY, { projects: [project] })
    const of = async (filter: object): Promise<number[]> =>
      (await ask(USAGE, { query: { ...query, interval: 'TOTAL', filter } }, secret)).map((one: any) => one.requests)
    assert.deepEqual(await of({}), [4])
    assert.deepEqual(await of({ minLatencyMs: 200 }), [1])
    assert.deepEqual(await of({ project: gone }), [])
    const grouped = await ask(USAGE, { query: { ...query, interval: 'TOTAL', groupBy: ['PROJECT'] } }, secret)
    assert.deepEqual(
      grouped.map((one: any) => one.dimensions),
      [{ PROJECT: project }],
    )
  })

  test('of nothing there is nothing', async () => {
    for (const filter of [
      { status: [] },
      { model: 'nobody asked' },
      { token: newId() },
      { to: at(0) },
      { search: 'nobody' },
    ])
      assert.deepEqual(await ask(USAGE, { query: { ...query, filter } }), [], JSON.stringify(filter))
  })

  describe('is refused', () => {
    for (const [what, more, field] of [
      ['a time that ends before it begins', { to: at(-1) }, 'query.to'],
      ['an empty time', { to: at(0) }, 'query.to'],
      ['more minutes than of a day', { interval: 'MINUTE' }, 'query.to'],
      ['what is no id', { filter: { token: 'sk-mr-x' } }, 'query.filter.token'],
      ['a search of a megabyte', { filter: { search: 'x'.repeat(1_000_000) } }, 'query.filter.search'],
      ['a minute of long ago', { from: '2020-01-01T00:00:30Z' }, 'query'],
      ['an hour of long ago', { from: '2020-01-01T01:00:00Z' }, 'query'],
      [
        'a filter that only records tell, of long ago',
        { from: '2020-01-01T00:00:00Z', filter: { minCostUsd: '1' } },
        'query',
      ],
    ] as const) {
      test(what, async () => {
        await assert.rejects(ask(USAGE, { query: { ...query, ...more } }), { code: 'BAD_USER_INPUT', field })
      })
    }
  })
})
