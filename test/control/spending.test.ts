/** What tokens and projects have spent and used, by the records that are stored, on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import {
  fromPicodollars,
  INGEST_RECORDS_MUTATION,
  MAX_USED_SUBJECTS,
  newId,
  toPicodollars,
  USED_QUERY,
  type IngestResult,
  type RequestRecord,
  type UsedOf,
  type UsedSubject,
} from '@millrace/shared'

import * as documents from './documents.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const ingest = async (records: readonly RequestRecord[]): Promise<IngestResult> =>
    (await stage.control.gql(INGEST_RECORDS_MUTATION, { records }, stage.control.proxyKey)).ingestRecords
  const used = async (subjects: readonly UsedSubject[], key = stage.control.proxyKey): Promise<UsedOf[]> => {
    const answer = await stage.control.gql<{ used: UsedOf[] }>(USED_QUERY, { subjects }, key)
    return answer.used.map((one) => ({ ...one }))
  }
  const spent = async (id: string, window: string | null = 'total'): Promise<string> =>
    (await used([{ id, window }]))[0]!.spentUsd

  describe('what was spent is the sum of the records, to the last decimal', () => {
    test('however often they are sent, in whatever order, at once', async () => {
      const projects = [newId(), newId()]
      const tokens = Array.from({ length: 6 }, newId)
      const days = ['2026-10-31T23:59:59.999Z', '2026-11-01T00:00:00.000Z', '2026-11-02T12:00:00.000Z']
      const records = Array.from({ length: 400 }, (_, i) =>
        sample({
          projectId: projects[i % 2]!,
          tokenId: tokens[i % 6]!,
          startedAt: days[i % 3]!,
          costUsd: i % 7 === 0 ? null : costAtRandom(i % 13),
          counted: i % 5 !== 0,
        }),
      )
      // Each comes twice at least, and many at the same time as their neighbours, the other way round.
      const batches = Array.from({ length: 8 }, (_, i) => shuffled(records.slice(i * 40, i * 40 + 120)))
      const results = await Promise.all([...batches, ...batches.map((batch) => batch.toReversed())].map(ingest))
      const stored = results.reduce((total, one) => total + one.stored, 0)
      assert.equal(stored, records.length)

      for (const id of [...projects, ...tokens]) {
        const own = records.filter(({ projectId, tokenId }) => projectId === id || tokenId === id)
        const sumOf = (window: string): string =>
          sum(own.filter(({ startedAt }) => window === 'total' || startedAt.startsWith(window)))
        for (const window of ['total', '2026-10', '2026-11', '2026-10-31', '2026-11-01', '2026-11-02', '2026-11-03']) {
          assert.equal(await spent(id, window), sumOf(window), window)
        }
        assert.equal(await spent(id, null), '0')
        const [{ requests }] = (await used([{ id, window: null }])) as [UsedOf]
        assert.equal(requests, tokens.includes(id) ? own.filter(({ counted }) => counted).length : 0)
      }
      assert.ok(toPicodollars(sum(records)) > 0n)
    })

    test('and the records say the same when they are read', async () => {
      const tokenId = newId()
      await ingest(Array.from({ length: 30 }, () => sample({ tokenId, costUsd: costAtRandom(12) })))
      const { requests } = await stage.control.gql(
        'query ($token: ID) { requests(first: 500, filter: { token: $token }) { edges { node { costUsd } } } }',
        { token: tokenId },
      )
      const read = requests.edges.map(({ node }: { node: RequestRecord }) => node)
      assert.equal(await spent(tokenId), sum(read))
    })

    test('of more decimals than money has: told to proxies rounded up', async () => {
      const tokenId = newId()
      await ingest([sample({ tokenId, costUsd: '0.00000000000000000001' }), sample({ tokenId, costUsd: '2' })])
      assert.equal(await spent(tokenId), '2.000000000001')
    })

    test('of answers that were not paid for, nothing, whatever their record says', async () => {
      const tokenId = newId()
      const free = { tokenId, billed: false, attempts: [], decision: null }
      await ingest([
        sample({ ...free, cache: 'HIT', cacheTier: 'MEMORY', costUsd: '0' }),
        sample({ ...free, cache: 'COALESCED', costUsd: '3' }),
        sample({ tokenId, costUsd: '1' }),
      ])
      const [{ spentUsd, requests }] = (await used([{ id: tokenId, window: 'total' }])) as [UsedOf]
      assert.deepEqual([spentUsd, requests], ['1', 3])
    })

    test('of records that are malformed, nothing', async () => {
      const tokenId = newId()
      const tooMany = sample({ tokenId, costUsd: '5', usage: { ...sample().usage, inputTokens: 3_000_000_000 } })
      const cannotBeStored = sample({ tokenId, costUsd: '7', startedAt: '0000-01-01T00:00:00Z' })
      const result = await ingest([sample({ tokenId, costUsd: '1' }), tooMany, cannotBeStored])
      assert.deepEqual({ ...result }, { stored: 1, duplicates: 0, refused: 2 })
      assert.equal(await spent(tokenId), '1')
    })
  })

  describe('what proxies ask', () => {
    test('is answered in their order, also of who has used nothing', async () => {
      const tokenId = newId()
      const unknown = newId()
      await ingest([sample({ tokenId, costUsd: '0.5', startedAt: '2026-11-20T10:00:00Z' })])
      const subjects = [
        { id: unknown, window: 'total' },
        { id: tokenId.toUpperCase(), window: '2026-11' },
        { id: tokenId, window: null },
        { id: tokenId, window: '2026-11-19' },
      ]
      assert.deepEqual(await used(subjects), [
        { id: unknown, window: 'total', spentUsd: '0', requests: 0 },
        { id: tokenId, window: '2026-11', spentUsd: '0.5', requests: 1 },
        { id: tokenId, window: null, spentUsd: '0', requests: 1 },
        { id: tokenId, window: '2026-11-19', spentUsd: '0', requests: 1 },
      ])
      assert.deepEqual(await used([]), [])
      const many = Array.from({ length: MAX_USED_SUBJECTS }, () => ({ id: newId(), window: 'total' }))
      assert.equal((await used(many)).length, MAX_USED_SUBJECTS)
      await assert.rejects(used([...many, ...many]), { code: 'BAD_USER_INPUT', field: 'subjects' })
    })

    for (const window of [
      '',
      'Total',
      '2026',
      '2026-13',
      '2026-00',
      '2026-02-30',
      '2026-1-1',
      '0000-01',
      '2026-11-20 ',
    ]) {
      test(`is refused of the window ${JSON.stringify(window)}`, async () => {
        const subjects = [
          { id: newId(), window: 'total' },
          { id: newId(), window },
        ]
        await assert.rejects(used(subjects), { code: 'BAD_USER_INPUT', field: 'subjects.1.window' })
      })
    }

    test('is refused of what is no id, and to others than proxies', async () => {
      await assert.rejects(used([{ id: 'x', window: null }]), { code: 'BAD_USER_INPUT', field: 'subjects.0.id' })
      await assert.rejects(used([], stage.control.adminKey), { code: 'FORBIDDEN' })
    })
  })

  test("a token's last use is its newest request with a good key", async () => {
    const { it: projects } = await stage.control.gql(documents.PROJECTS)
    const input = { name: newId(), project: projects[0].id, budget: { limitUsd: '5', period: 'TOTAL' } }
    const { it: created } = await stage.control.gql(documents.CREATE_TOKEN, { input })
    const tokenId: string = created.token.id
    const read = async () => (await stage.control.gql(documents.TOKEN_BY_ID, { id: tokenId })).it
    assert.deepEqual([created.token.requestCount, created.token.lastUsedAt], [0, null])

    const at = (minute: number): string => new Date(Date.UTC(2026, 10, 20, 10, minute)).toISOString()
    const refused = (errorClass: string, minute: number): RequestRecord =>
      sample({ tokenId, status: 'REJECTED', errorClass, counted: false, costUsd: null, startedAt: at(minute) })
    await ingest([refused('token_expired', 50)])
    assert.equal((await read()).lastUsedAt, null)
    await ingest([
      sample({ tokenId, startedAt: at(5), costUsd: '0.25' }),
      refused('rate_limit_exceeded', 7),
      refused('token_revoked', 55),
    ])
    await ingest([sample({ tokenId, startedAt: at(6), costUsd: '0.000000000001' })])
    const token = await read()
    assert.deepEqual([token.requestCount, token.cacheHitCount, token.lastUsedAt], [2, 0, at(7)])
    assert.equal(token.budget.spentUsd, '0.250000000001')
  })

  test('what a cache has answered for a token is counted, each once; what it might have had is not', async () => {
    const { it: projects } = await stage.control.gql(documents.PROJECTS)
    const input = { name: newId(), project: projects[0].id }
    const { it: created } = await stage.control.gql(documents.CREATE_TOKEN, { input })
    const tokenId: string = created.token.id
    const of = (cache: RequestRecord['cache'], more: Partial<RequestRecord> = {}): RequestRecord =>
      sample({ tokenId, cache, cacheTier: cache === 'HIT' ? 'MEMORY' : null, ...more })
    const [hit, again] = [of('HIT'), of('HIT', { counted: false })]
    await ingest([of('MISS'), hit, of('COALESCED'), of('BYPASS'), hit])
    await ingest([hit, again, of('HIT', { status: 'REJECTED', errorClass: 'token_revoked', counted: false })])
    const { it: token } = await stage.control.gql(documents.TOKEN_BY_ID, { id: tokenId })
    assert.deepEqual([token.requestCount, token.cacheHitCount], [4, 2])
  })

  test("an upstream key's last use is known to the minute; a client's own key is none of them", async () => {
    const apiKey = 'env:SPENDING_API_KEY'
    const input = { name: newId(), kind: 'OPENAI_COMPATIBLE', baseUrl: 'http://127.0.0.1:9/v1', apiKeys: [apiKey] }
    const { it: provider } = await stage.control.gql(documents.CREATE_PROVIDER, { input })
    const read = async (): Promise<string | null> => {
      const document = 'query ($id: ID) { it: provider(id: $id) { credentials { fingerprint lastUsedAt } } }'
      const { it } = await stage.control.gql(document, { id: provider.id })
      assert.equal(it.credentials[0].fingerprint, apiKey)
      return it.credentials[0].lastUsedAt
    }
    assert.equal(await read(), null)
    const tried = (startedAt: string, credentialSource: 'PROVIDER' | 'REQUEST'): RequestRecord => {
      const record = sample({ startedAt })
      const key = { providerId: provider.id, credentialSource, credentialFingerprint: apiKey }
      return { ...record, attempts: record.attempts.map((attempt) => ({ ...attempt, ...key })) }
    }
    await ingest([tried('2026-11-20T10:20:30.456Z', 'PROVIDER'), tried('2026-11-20T11:00:00.000Z', 'REQUEST')])
    assert.equal(await read(), '2026-11-20T10:20:00.000Z')
    await ingest([tried('2026-11-20T10:19:59.999Z', 'PROVIDER')])
    assert.equal(await read(), '2026-11-20T10:20:00.000Z')
    const long = tried('2026-11-20T11:00:00.000Z', 'PROVIDER')
    const attempts = long.attempts.map((attempt) => ({ ...attempt, credentialFingerprint: 'f'.repeat(4_096) }))
    assert.equal((await ingest([{ ...long, attempts }])).stored, 1)
  })
})

/** Up to 10 USD. */
function costAtRandom(decimals: number): string {
  const digits = String(Math.floor(Math.random() * 10 ** (decimals + 1))).padStart(decimals + 1, '0')
  return decimals === 0 ? digits : `${digits.slice(0, 1)}.${digits.slice(1)}`
}

function sum(records: readonly Pick<RequestRecord, 'costUsd'>[]): string {
  return fromPicodollars(records.reduce((total, { costUsd }) => total + toPicodollars(costUsd ?? '0'), 0n))
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value)
}
