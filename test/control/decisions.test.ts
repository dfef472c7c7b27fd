/** Why requests went where they went, as their records tell, on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { INGEST_RECORDS_MUTATION, newId, type DecisionRecord, type RequestRecord } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import { DECISION_FIELDS } from '../helpers/stored-record.ts'
import { within } from '../helpers/wait.ts'
import { begun } from './begun.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const DECISIONS = `query ($filter: DecisionFilter, $first: Int, $after: String) {
  it: routeDecisions(filter: $filter, first: $first, after: $after) {
    edges { node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount
  }
}`
const FEED = 'subscription ($filter: DecisionFilter) { it: routeDecisionFeed(filter: $filter) { id } }'

/** A record with its decision, of which some may be otherwise. */
function decided(more: Partial<RequestRecord> = {}, decision: Partial<DecisionRecord> = {}): RequestRecord {
  const record = sample(more)
  return { ...record, decision: { ...record.decision!, ...decision } }
}

await onEachDatabase((stage) => {
  const ask = async (document: string, variables = {}): Promise<any> =>
    (await stage.control.gql(document, variables)).it
  const ingest = (records: readonly RequestRecord[]): Promise<unknown> =>
    stage.control.gql(INGEST_RECORDS_MUTATION, { records }, stage.control.proxyKey)
  const found = async (filter: object): Promise<string[]> =>
    (await ask(DECISIONS, { filter })).edges.map(({ node }: any) => node.id)

  test('a decision is what its record says', async () => {
    const boundAt = new Date().toISOString()
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const base = sample()
    const [attempt] = base.attempts
    const [candidate] = base.decision!.candidates
    const second = { ...attempt!, index: 1, routeId: newId(), upstreamStatus: 200 }
    const record = decided(
      { attempts: [{ ...attempt!, upstreamStatus: 503, errorClass: 'upstream_5xx' }, second], costUsd: '12.5' },
      {
        strategy: 'LEAST_LATENCY',
        candidates: [
          { ...candidate!, selected: false, score: 12.25 },
          { ...candidate!, routeId: second.routeId, excluded: 'BREAKER_OPEN', score: null },
        ],
        sticky: {
          scope: 'USER',
          key: 'a:p:USER:ann',
          routeId: second.routeId,
          hit: false,
          action: 'REBIND_UNAVAILABLE',
          backend: 'memory',
          boundAt,
          expiresAt,
        },
        selectedRouteId: second.routeId,
        fallbackUsed: true,
      },
    )
    await ingest([record])
    const { request } = await stage.control.gql(
      `query ($id: ID) { request(id: $id) { costUsd decision { ${DECISION_FIELDS}
        userKey conversationKey latencyMs project { id } token { id } candidates { route { id } provider { id } }
      } } }`,
      { id: record.id },
    )
    const { decision } = request
    const { routeId: _, ...sticky } = record.decision!.sticky
    assert.equal(request.costUsd, '12.5')
    assert.deepEqual(decision, {
      id: record.id,
      requestId: record.requestId,
      at: record.startedAt,
      model: record.model,
      strategy: 'LEAST_LATENCY',
      configRevision: record.configRevision,
      errorClass: null,
      upstreamStatus: 200,
      fallbackUsed: true,
      alias: null,
      candidates: record.decision!.candidates.map(({ providerId: __, ...one }) => ({
        ...one,
        route: null,
        provider: null,
      })),
      sticky,
      selectedRoute: null,
      attempts: record.attempts.map(({ providerId: __, ...one }) => one),
      userKey: record.userKey,
      conversationKey: record.conversationKey,
      latencyMs: record.latencyMs,
      project: null,
      token: null,
    })
    assert.deepEqual(await found({ requestId: record.requestId }), [record.id])
  })

  test('a decision names what there is by the names that it has now', async () => {
    const { providers, aliases } = await stage.control.gql(
      '{ providers { id } aliases { id name routes { id providerModel } } }',
    )
    const [alias] = aliases
    const [route] = alias.routes
    const base = sample({ aliasId: alias.id, providerId: providers[0].id })
    const [candidate] = base.decision!.candidates
    const candidates = [{ ...candidate!, routeId: route.id, providerId: providers[0].id }]
    const record = decided({ aliasId: alias.id }, { candidates, selectedRouteId: route.id })
    await ingest([record])
    const { it } = await stage.control.gql(
      `query ($filter: DecisionFilter) { it: routeDecisions(filter: $filter) { edges { node {
        alias { name } selectedRoute { id alias { name } } candidates { route { id } provider { name } }
      } } } }`,
      { filter: { requestId: record.requestId } },
    )
    assert.deepEqual(it.edges[0].node, {
      alias: { name: 'demo' },
      selectedRoute: { id: route.id, alias: { name: 'demo' } },
      candidates: [{ route: { id: route.id }, provider: { name: 'simulator' } }],
    })
  })

  test('a request that was not routed has none', async () => {
    const requestId = uniqueName('refused')
    const record = sample({ requestId, decision: null, attempts: [], costUsd: null })
    await ingest([record])
    const { request } = await stage.control.gql('query ($id: ID) { request(id: $id) { costUsd decision { id } } }', {
      id: record.id,
    })
    assert.deepEqual({ ...request }, { costUsd: null, decision: null })
    assert.deepEqual(await found({ requestId }), [])
  })

  test('decisions come in pages, newest first', async () => {
    const requestId = uniqueName('paged')
    const startedAt = new Date().toISOString()
    const records = Array.from({ length: 9 }, (_, i) => decided(i < 6 ? { requestId, startedAt } : { requestId }))
    await ingest(records)
    const seen: string[] = []
    for (let after: string | null = null; ;) {
      const { edges, pageInfo, totalCount }: any = await ask(DECISIONS, { filter: { requestId }, first: 4, after })
      assert.deepEqual([pageInfo.hasPreviousPage, totalCount], [after !== null, null])
      seen.push(...edges.map(({ node }: any) => node.id))
      if (!pageInfo.hasNextPage) break
      after = pageInfo.endCursor
    }
    const key = ({ startedAt: at, id }: RequestRecord): string => at + id
    assert.deepEqual(
      seen,
      records.sort((a, b) => (key(a) < key(b) ? 1 : -1)).map(({ id }) => id),
    )
    await assert.rejects(ask(DECISIONS, { after: 'nowhere' }), { code: 'BAD_USER_INPUT', field: 'after' })
  })

  describe('filters', () => {
    const [projectId, tokenId, aliasId, providerId, failedProvider, routeId, failedRoute] = Array.from(
      { length: 7 },
      newId,
    )
    const [attempt] = sample().attempts
    const hit = { ...sample().decision!.sticky, scope: 'USER', hit: true, action: 'HIT' } as const
    const asked = [{ ...attempt!, routeId: failedRoute!, providerId: failedProvider! }]
    const records = [
      decided({ projectId: projectId!, providerId: providerId! }),
      decided({ tokenId: tokenId!, attempts: asked }, { fallbackUsed: true }),
      decided({ aliasId: aliasId!, status: 'ERROR', errorClass: 'all_routes_failed' }, { sticky: hit }),
      decided({ startedAt: '2026-01-01T00:00:00.000Z' }, { selectedRouteId: routeId! }),
      // Of no use to anybody who asks for decisions.
      sample({ projectId: projectId!, decision: null }),
    ]
    /** Each with what it finds of the records, and with a record of its own kind. */
    const filters: [filter: object, matching: number[], alike: () => RequestRecord][] = [
      [{ project: projectId!.toUpperCase() }, [0], () => decided({ projectId: projectId! })],
      [{ token: tokenId }, [1], () => decided({ tokenId: tokenId! })],
      [{ alias: aliasId }, [2], () => decided({ aliasId: aliasId! })],
      [{ provider: providerId }, [0], () => decided({ providerId: providerId! })],
      [{ provider: failedProvider }, [1], () => decided({ attempts: asked })],
      [{ route: failedRoute }, [1], () => decided({ attempts: asked })],
      [{ route: routeId }, [3], () => decided({}, { selectedRouteId: routeId! })],
      [{ stickyHit: true }, [2], () => decided({}, { sticky: hit })],
      [{ stickyHit: false }, [0, 1, 3], () => decided()],
      [{ fallbackUsed: true }, [1], () => decided({}, { fallbackUsed: true })],
      [{ fallbackUsed: false, stickyHit: false }, [0, 3], () => decided()],
      [{ errorClass: 'all_routes_failed' }, [2], () => decided({ status: 'ERROR', errorClass: 'all_routes_failed' })],
      [
        { from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00.001Z' },
        [3],
        () => decided({ startedAt: '2026-01-01T00:00:00.000Z' }),
      ],
      [{ project: null, stickyHit: null }, [0, 1, 2, 3], () => decided()],
    ]

    for (const [given, matching, alike] of filters) {
      test(`agree of the list and of the feed: ${JSON.stringify(given).slice(0, 40)}`, async () => {
        const requestId = uniqueName('filtered')
        const filter = { requestId, ...given }
        const own = records.map((record) => ({ ...record, requestId, id: newId() }))
        await using events = await begun(stage.control, FEED, { filter }, () => ingest([{ ...alike(), requestId }]))
        await ingest(own)
        const last = { ...alike(), requestId, id: newId() }
        await ingest([last])
        const told: string[] = []
        while (told.at(-1) !== last.id) {
          const { value } = await within(10_000, JSON.stringify(filter), events.next())
          told.push(value.it.id)
        }
        const ids = new Set(own.map(({ id }) => id))
        const expected = matching.map((one) => own[one]!.id)
        assert.deepEqual(
          told.filter((id) => ids.has(id)),
          expected,
        )
        assert.deepEqual((await found(filter)).filter((id) => ids.has(id)).sort(), expected.toSorted())
      })
    }

    for (const [filter, field] of [
      [{ route: 'no id' }, 'filter.route'],
      [{ stickyHit: 'yes' }, 'filter.stickyHit'],
    ] as const) {
      test(`refuse ${JSON.stringify(filter)}`, async () => {
        await assert.rejects(ask(DECISIONS, { filter }), { code: 'BAD_USER_INPUT', field })
      })
    }
  })

  test('requests are found by what they cost, to the last digit', async () => {
    const model = uniqueName('costly')
    const costs = ['0.1000000000000000000', '0.1000000000000000001', '0.09', '12', null]
    const records = costs.map((costUsd) => sample({ model, costUsd }))
    const feed = `subscription ($filter: RequestFilter) { it: requestFeed(filter: $filter) { record { costUsd } } }`
    const filter = { model, minCostUsd: '0.1000000000000000001' }
    await using events = await begun(stage.control, feed, { filter }, () => ingest([sample({ model, costUsd: '99' })]))
    await ingest([...records, sample({ model, costUsd: '100' })])
    const { requests } = await stage.control.gql(
      'query ($filter: RequestFilter) { requests(filter: $filter) { edges { node { costUsd } } } }',
      { filter },
    )
    const listed = requests.edges.map(({ node }: any) => node.costUsd)
    assert.deepEqual(new Set(listed), new Set(['0.1000000000000000001', '100', '12', '99']))
    const told = new Set<string>()
    while (!told.has('100')) told.add((await within(10_000, 'an event', events.next())).value.it.record.costUsd)
    told.delete('99')
    assert.deepEqual(told, new Set(['0.1000000000000000001', '100', '12']))
    await assert.rejects(
      stage.control.gql('query ($f: RequestFilter) { requests(filter: $f) { edges { cursor } } }', {
        f: { minCostUsd: 'much' },
      }),
      { code: 'BAD_USER_INPUT', field: 'f.minCostUsd' },
    )
  })
})
