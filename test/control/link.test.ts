/** What proxies and control say to each other, and what comes of it, on each database. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  credentialContext,
  digest,
  INGEST_RECORDS_MUTATION,
  newId,
  open,
  parseMasterKey,
  REPORT_PROXY_MUTATION,
  type IngestResult,
  type RequestRecord,
  type Snapshot,
} from '@millrace/shared'

import { uniqueName } from '../helpers/gateway.ts'
import type { Subscription } from '../helpers/graphql.ts'
import { waitFor, within } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { sample } from './sample.ts'
import { Follower, newestSnapshot } from './snapshots.ts'
import { onEachDatabase } from './suites.ts'

const FEED = `subscription ($filter: RequestFilter, $kinds: [FeedEventKind!]) {
  requestFeed(filter: $filter, kinds: $kinds) {
    id kind at requestId dropped
    record { id model errorMessage project { name } token { name } alias { name } provider { name } attempts { providerName } }
  }
}`
const REQUESTS = `query ($filter: RequestFilter, $first: Int, $after: String) {
  requests(filter: $filter, first: $first, after: $after) {
    edges { cursor node { id requestId } } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount
  }
}`

await onEachDatabase((stage) => {
  const ask = async (document: string, variables = {}, key?: string | null): Promise<any> =>
    (await stage.control.gql(document, variables, key)).it
  const ingest = async (records: readonly unknown[]): Promise<IngestResult> =>
    (await stage.control.gql(INGEST_RECORDS_MUTATION, { records }, stage.control.proxyKey)).ingestRecords
  const following = (key = stage.control.proxyKey): Follower => new Follower(stage.control, null, key)
  const newest = (): Promise<Snapshot> => newestSnapshot(stage.control)
  const provider = (more = {}): Promise<any> =>
    ask(documents.CREATE_PROVIDER, {
      input: { name: uniqueName('provider'), kind: 'OPENAI_COMPATIBLE', baseUrl: 'http://127.0.0.1:9/v1', ...more },
    })

  describe('snapshots', () => {
    test('come at once, whole, and what changes soon after', async () => {
      await using follower = following()
      const first = await follower.next()
      assert.deepEqual(
        [first.aliases.map(({ name }) => name), first.projects.map(({ name }) => name)],
        [['demo'], ['default']],
      )
      assert.equal(first.tokens[0]!.secrets[0]!.digest, digest(stage.control.token))
      await ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })
      // Ten times what the contract says, for a machine that has other things to do.
      const second = await follower.next()
      assert.deepEqual([second.revision, second.projects.length], [first.revision + 1, 2])
    })

    test('hold sealed keys that open under the master key, and only those that serve', async () => {
      const made = await provider({ apiKeys: ['sk-the-key', 'env:ACME_API_KEY', 'sk-switched-off'] })
      await ask(documents.SET_CREDENTIAL_ENABLED, { id: made.credentials[2].id, enabled: false })
      const { providers } = await newest()
      const { credentials } = providers.find(({ id }) => id === made.id)!
      assert.equal(credentials.length, 2)
      const masterKey = parseMasterKey((await readFile(join(stage.control.dataDir, 'master.key'), 'utf8')).trim())
      const { id, secret } = credentials[0]!
      assert.ok('sealed' in secret && !JSON.stringify(providers).includes('sk-the-key'))
      assert.equal(open(secret.sealed, [masterKey], credentialContext(made.id, id)), 'sk-the-key')
      assert.throws(() => open(secret.sealed, [masterKey], credentialContext(made.id, newId())), /another row/)
      assert.deepEqual(credentials[1]!.secret, { env: 'ACME_API_KEY' })
    })

    test('say which tokens are revoked and which projects are not active', async () => {
      const { id: project } = await ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })
      const expiresAt = new Date(Date.now() + 60_000).toISOString()
      const { token, secret } = await ask(documents.CREATE_TOKEN, { input: { name: 't', project, expiresAt } })
      await ask(documents.REVOKE_TOKEN, { id: token.id })
      await ask(documents.UPDATE_PROJECT, { id: project, input: { active: false } })
      const { tokens, projects } = await newest()
      assert.deepEqual(
        tokens.find(({ id }) => id === token.id),
        {
          id: token.id,
          name: 't',
          projectId: project,
          secrets: [{ prefix: token.prefix, digest: digest(secret), until: null }],
          revoked: true,
          expiresAt,
          maxRequests: null,
          limits: null,
          budget: null,
          used: null,
          access: null,
        },
      )
      assert.equal(projects.find(({ id }) => id === project)!.active, false)
    })

    test('are for proxies alone, as is what proxies send', async () => {
      const { control } = stage
      await using asAdmin = following(control.adminKey)
      await assert.rejects(asAdmin.next(), { code: 'FORBIDDEN' })
      await using asNobody = following('nobody')
      await assert.rejects(asNobody.next(), { code: 4403 })
      await assert.rejects(control.gql(INGEST_RECORDS_MUTATION, { records: [] }), { code: 'FORBIDDEN' })
      await assert.rejects(control.gql(INGEST_RECORDS_MUTATION, { records: [] }, null), { code: 'UNAUTHENTICATED' })
      await using feed = control.subscribe(FEED, {}, control.proxyKey)
      await assert.rejects(feed.next(), { code: 'FORBIDDEN' })
    })

    test("end with their key's revocation", async () => {
      const { secret, adminKey } = await ask(documents.CREATE_ADMIN_KEY, { name: 'short-lived', role: 'PROXY' })
      await using follower = following(secret)
      await follower.next()
      await ask(documents.REVOKE_ADMIN_KEY, { id: adminKey.id })
      const end = (async () => {
        for (;;) await follower.next()
      })()
      await assert.rejects(within(10_000, 'the end of the socket', end), { code: 4403 })
    })
  })

  describe('records', () => {
    test('are stored once, however often they are sent', async () => {
      const records = [sample(), sample()]
      assert.deepEqual(await ingest([...records, records[0]]), { stored: 2, duplicates: 1, refused: 0 })
      assert.deepEqual(await ingest([...records, sample()]), { stored: 1, duplicates: 2, refused: 0 })
      const { request } = await stage.control.gql(
        `query ($id: ID) { request(id: $id) {
          id requestId startedAt finishedAt endpoint model providerModel stream status httpStatus errorClass errorMessage
          usage { inputTokens outputTokens cachedInputTokens cacheWriteTokens reasoningTokens inputAudioTokens outputAudioTokens source billed }
          cache cacheTier latencyMs timeToFirstTokenMs overheadMs
          costUsd userKey conversationKey metadata configRevision proxyId project { id } token { id } alias { id } provider { id }
          attempts {
            index routeId providerName providerModel startedAt latencyMs timeToFirstTokenMs upstreamStatus errorClass
            errorMessage upstreamUrl contentType credentialSource credentialFingerprint hedged provider { id } route { id }
          }
        } }`,
        { id: records[0]!.id },
      )
      const {
        projectId,
        tokenId,
        aliasId,
        providerId,
        attempts,
        decision: _decision,
        counted: _counted,
        billed,
        usage,
        ...rest
      } = records[0]!
      const gone = { project: null, token: null, alias: null, provider: null }
      const tried = attempts.map(({ providerId: _, ...attempt }) => ({ ...attempt, provider: null, route: null }))
      assert.deepEqual(
        { ...request },
        { ...rest, ...gone, usage: { ...usage, billed }, attempts: tried },
        `${projectId} ${tokenId} ${aliasId} ${providerId}`,
      )
    })

    test('say where an answer came from that was there already, and that it was not paid for', async () => {
      const hit = sample({
        cache: 'HIT',
        cacheTier: 'SHARED',
        billed: false,
        costUsd: '0',
        attempts: [],
        decision: null,
      })
      const joined = sample({ cache: 'COALESCED', billed: false, costUsd: '0', attempts: [], decision: null })
      assert.equal((await ingest([hit, joined])).stored, 2)
      const read = async (id: string): Promise<unknown> => {
        const { request } = await stage.control.gql(
          'query ($id: ID) { request(id: $id) { cache cacheTier costUsd usage { inputTokens billed } attempts { index } } }',
          { id },
        )
        return JSON.parse(JSON.stringify(request))
      }
      const free = { costUsd: '0', usage: { inputTokens: 5, billed: false }, attempts: [] }
      assert.deepEqual(await read(hit.id), { cache: 'HIT', cacheTier: 'SHARED', ...free })
      assert.deepEqual(await read(joined.id), { cache: 'COALESCED', cacheTier: null, ...free })
    })

    test('that can be no records are refused, and cost their neighbours nothing', async () => {
      const good = [sample(), sample({ model: '\u4e00'.repeat(4_096), requestId: 'r'.repeat(4_096) })]
      const bad = [
        {},
        5,
        'text',
        { ...sample(), id: 'no id' },
        { ...sample(), usage: null },
        { ...sample(), cache: 'STALE' },
        // What the schema takes and the database can't hold.
        sample({ startedAt: '0000-01-01T00:00:00Z' }),
        sample({ usage: { ...sample().usage, inputTokens: 3_000_000_000 } }),
      ]
      assert.deepEqual(await ingest([good[0], ...bad, good[1]]), { stored: 2, duplicates: 0, refused: bad.length })
      await assert.rejects(ingest(Array.from({ length: 1_001 }, () => 1)), { code: 'BAD_USER_INPUT', field: 'records' })
    })

    test('of proxies that knew neither costs nor decisions nor a cache are taken', async () => {
      const { costUsd: _, decision: __, cache: _c, cacheTier: _t, billed: _b, ...record } = sample()
      assert.deepEqual(await ingest([record]), { stored: 1, duplicates: 0, refused: 0 })
      const { request } = await stage.control.gql(
        'query ($id: ID) { request(id: $id) { model costUsd decision { id } cache cacheTier usage { billed } } }',
        { id: record.id },
      )
      const { model } = record
      const unknown = { costUsd: null, decision: null, cache: 'BYPASS', cacheTier: null, usage: { billed: true } }
      assert.deepEqual(JSON.parse(JSON.stringify(request)), { model, ...unknown })
    })

    test('with NUL and half surrogate pairs are stored without them', async () => {
      const record = sample({ errorMessage: 'a\0b\ud800c', metadata: { 'k\0': ['\udc00'] } })
      assert.equal((await ingest([record])).stored, 1)
      const { request } = await stage.control.gql('query ($id: ID) { request(id: $id) { errorMessage metadata } }', {
        id: record.id,
      })
      assert.deepEqual({ ...request }, { errorMessage: 'a\uFFFDb\uFFFDc', metadata: { 'k\uFFFD': ['\uFFFD'] } })
    })

    test('come in pages, newest first, though many began at the same moment', async () => {
      const model = uniqueName('paged')
      const startedAt = new Date().toISOString()
      const records = Array.from({ length: 25 }, (_, i) => sample(i < 20 ? { model, startedAt } : { model }))
      await ingest(records)
      const seen: string[] = []
      for (let after: string | null = null; ;) {
        const { requests }: any = await stage.control.gql(REQUESTS, { filter: { model }, first: 7, after })
        assert.equal(requests.pageInfo.hasPreviousPage, after !== null)
        seen.push(...requests.edges.map(({ node }: any) => node.id))
        if (!requests.pageInfo.hasNextPage) break
        after = requests.pageInfo.endCursor
      }
      const key = ({ startedAt: at, id }: RequestRecord): string => at + id
      assert.deepEqual(
        seen,
        records.sort((a, b) => (key(a) < key(b) ? 1 : -1)).map(({ id }) => id),
      )
      await assert.rejects(stage.control.gql(REQUESTS, { after: 'nowhere' }), {
        code: 'BAD_USER_INPUT',
        field: 'after',
      })
      await assert.rejects(stage.control.gql(REQUESTS, { first: 0 }), { code: 'BAD_USER_INPUT', field: 'first' })
    })

    test('of one request id: the newest is shown', async () => {
      const requestId = uniqueName('twice')
      const [older, newer] = [sample({ requestId, startedAt: '2026-01-01T00:00:00Z' }), sample({ requestId })]
      await ingest([newer, older])
      const { request } = await stage.control.gql('query ($id: String) { request(requestId: $id) { id } }', {
        id: requestId,
      })
      assert.equal(request.id, newer.id)
    })
  })

  describe('the feed', () => {
    test('tells of a record soon, by the names that things have now', async () => {
      const ids = await stage.control.gql(
        '{ projects { id name } tokens { edges { node { id } } } aliases { id name } providers { id name } }',
      )
      const simulator = ids.providers.find(({ name }: any) => name === 'simulator').id
      const project = ids.projects.find(({ name }: any) => name === 'default').id
      const record = (): RequestRecord =>
        sample({
          projectId: project,
          aliasId: ids.aliases[0].id,
          providerId: simulator,
          tokenId: ids.tokens.edges.at(-1).node.id,
        })
      await using events = await subscribed({})
      // Ten times what the contract says, and some tries, for a machine that has other things to do.
      for (let [tookMs, tries] = [Infinity, 10]; tookMs > 2_500; tries--) {
        assert.ok(tries > 0, `the last took ${tookMs} ms`)
        const sent = record()
        const began = performance.now()
        const [{ value }] = await within(20_000, 'the event', Promise.all([events.next(), ingest([sent])]))
        tookMs = performance.now() - began
        const { kind, requestId, dropped, record: told } = value.requestFeed
        assert.deepEqual([kind, requestId, dropped, told.id], ['FINISHED', sent.requestId, 0, sent.id])
        assert.deepEqual(
          [told.project.name, told.token.name, told.alias.name, told.provider.name],
          ['default', 'default', 'demo', 'simulator'],
        )
      }
      const name = uniqueName('renamed')
      await ask(documents.UPDATE_PROVIDER, { id: simulator, input: { name } })
      await ask(documents.UPDATE_PROVIDER, { id: simulator, input: { name: 'simulator' } })
      await ask(documents.UPDATE_PROVIDER, { id: simulator, input: { name } })
      await waitFor(async () => {
        const [{ value: later }] = await Promise.all([events.next(), ingest([record()])])
        return later.requestFeed.record.provider.name === name
      })
    })

    test('tells each record once, in the order in which they came', async () => {
      const model = uniqueName('ordered')
      await using events = await subscribed({ filter: { model } })
      const records = Array.from({ length: 50 }, () => sample({ model }))
      await ingest([records[0], ...records.slice(0, 30)])
      await ingest(records)
      for (const { id } of records) assert.equal((await events.next()).value.requestFeed.record.id, id)
    })

    const model = uniqueName('filtered')
    const [projectId, tokenId, providerId] = [newId(), newId(), newId()]
    const records = [
      sample({ model, projectId, stream: true, latencyMs: 5, cache: 'HIT', cacheTier: 'MEMORY' }),
      sample({
        model,
        tokenId,
        status: 'ERROR',
        errorClass: 'upstream_5xx',
        errorMessage: 'An Oops, 100%_sure',
        latencyMs: 50,
        cache: 'BYPASS',
      }),
      sample({ model, providerId, status: 'TIMEOUT', errorClass: 'upstream_timeout', userKey: 'Ann', latencyMs: 500 }),
      sample({
        model,
        status: 'CANCELLED',
        startedAt: '2026-01-01T00:00:00.000Z',
        requestId: 'of-January',
        cache: 'COALESCED',
      }),
    ]
    /** Each with what it finds of the records, and what a later record must have to be found. Null: nothing is. */
    const filters: [filter: object, matching: number[], sentinel: Partial<RequestRecord> | null][] = [
      [{ project: projectId }, [0], { projectId }],
      [{ project: projectId.toUpperCase() }, [0], { projectId }],
      [{ token: tokenId }, [1], { tokenId }],
      [{ provider: providerId }, [2], { providerId }],
      [{ status: ['ERROR', 'TIMEOUT'] }, [1, 2], { status: 'TIMEOUT' }],
      [{ status: [] }, [], null],
      [{ errorClass: 'upstream_5xx' }, [1], { status: 'ERROR', errorClass: 'upstream_5xx' }],
      [{ stream: true }, [0], { stream: true }],
      [{ cache: ['HIT'] }, [0], { cache: 'HIT' }],
      [{ cache: ['COALESCED', 'BYPASS', 'BYPASS'] }, [1, 3], { cache: 'BYPASS' }],
      [{ cache: [] }, [], null],
      [{ cache: ['HIT', 'MISS'], status: ['TIMEOUT'] }, [2], { cache: 'HIT', status: 'TIMEOUT' }],
      [{ stream: false, minLatencyMs: 50 }, [1, 2], { latencyMs: 50 }],
      [
        { from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00.001Z' },
        [3],
        { startedAt: '2026-01-01T00:00:00.000Z' },
      ],
      [{ to: '2026-01-01T00:00:00Z' }, [], { startedAt: '2025-12-31T23:59:59.999Z' }],
      [{ requestId: 'of-January' }, [3], { requestId: 'of-January' }],
      [{ search: 'oops' }, [1], { errorMessage: 'oops' }],
      [{ search: '0%_S' }, [1], { errorMessage: '0%_s' }],
      [{ search: 'ann' }, [2], { userKey: 'Ann' }],
      [{ search: 'OF-JAN' }, [3], { requestId: 'of-january' }],
      [{ search: '_' }, [1], { userKey: 'a_b' }],
      [{ project: null, status: null }, [0, 1, 2, 3], {}],
    ]
    test('and the list of requests agree on each filter', async () => {
      const feeds = await Promise.all(filters.map(([filter]) => subscribed({ filter: { model, ...filter } })))
      const none = await subscribed({ filter: { model }, kinds: [] })
      await ingest(records)
      for (const [filter, matching] of filters) {
        const { requests } = await stage.control.gql(REQUESTS, { filter: { model, ...filter } })
        const found = requests.edges.map(({ node }: any) => node.id)
        assert.deepEqual(found.sort(), matching.map((one) => records[one]!.id).sort(), JSON.stringify(filter))
      }
      const sentinels = filters.map(([, , more]) => sample({ model, userKey: null, ...more }))
      await ingest(sentinels)
      const silent = [none]
      for (const [i, [filter, matching, more]] of filters.entries()) {
        const events = feeds[i]!
        if (more === null) {
          silent.push(events)
          continue
        }
        const told: string[] = []
        while (told.at(-1) !== sentinels[i]!.id)
          told.push((await within(10_000, JSON.stringify(filter), events.next())).value.requestFeed.record.id)
        // What stands before its own sentinel and is no other row's.
        const others = new Set(sentinels.map(({ id }) => id))
        assert.deepEqual(
          told.filter((id) => !others.has(id)),
          matching.map((one) => records[one]!.id),
          JSON.stringify(filter),
        )
      }
      for (const events of silent) {
        const outcome = await Promise.race([events.next().then(() => 'spoke'), sleep(100, 'silent')])
        assert.equal(outcome, 'silent')
      }
      for (const events of [...feeds, none]) await events.return!()
    })

    for (const [filter, field] of [
      [{ project: 'no id' }, 'filter.project'],
      [{ status: ['LOST'] }, 'filter.status.0'],
      [{ cache: ['STALE'] }, 'filter.cache.0'],
      [{ from: 'yesterday' }, 'filter.from'],
    ] as const) {
      test(`refuses ${JSON.stringify(filter)}, as the list does`, async () => {
        await using events = stage.control.subscribe(FEED, { filter })
        const { code, field: told } = await events.next().then(
          () => assert.fail('was not refused'),
          // Refused before it begins, it ends in plain errors; once it has begun, in an answer with them.
          (thrown: any) => (Array.isArray(thrown) ? thrown[0].extensions : thrown),
        )
        assert.deepEqual([code, told], ['BAD_USER_INPUT', field])
        await assert.rejects(stage.control.gql(REQUESTS, { filter }), { code: 'BAD_USER_INPUT', field })
      })
    }

    /** A subscription that the server has taken up: it is told of what comes from now on. */
    async function subscribed(variables: object): Promise<Subscription<any>> {
      const events = stage.control.subscribe(FEED, { ...variables })
      const marker = sample({ model: uniqueName('marker') })
      const first = events.next()
      await events.connected
      // Connects when that was sent: where this one is told of something, that one is.
      const probe = stage.control.subscribe(FEED, { filter: { model: marker.model } })
      const heard = probe.next()
      await probe.connected
      await waitFor(async () => {
        await ingest([{ ...marker, id: newId() }])
        return within(200, 'the marker', heard).then(() => true)
      })
      await probe.return!()
      return withFirst(events, first, marker.model)
    }
  })

  test('proxies are seen as they report themselves', async () => {
    const report = {
      id: newId(),
      version: '1.2.3',
      startedAt: '2026-01-01T00:00:00.000Z',
      configRevision: 3,
      inFlight: 2,
      requestsPerSecond: 1.5,
      recordsQueued: 4,
      recordsDropped: 5,
    }
    const send = (more = {}): Promise<any> =>
      stage.control.gql(
        REPORT_PROXY_MUTATION,
        { report: { ...report, health: { providers: [], routes: [], credentials: [] }, ...more } },
        stage.control.proxyKey,
      )
    await send()
    await send({ configRevision: 4 })
    const { proxies } = await stage.control.gql(
      '{ proxies { id version startedAt lastSeenAt online configRevision inFlight requestsPerSecond recordsQueued recordsDropped } }',
    )
    const { lastSeenAt, ...rest } = proxies.find(({ id }: any) => id === report.id)
    assert.deepEqual(rest, { ...report, configRevision: 4, online: true })
    assert.ok(Math.abs(Date.now() - Date.parse(lastSeenAt)) < 60_000)
    await assert.rejects(send({ id: 'no id' }), { code: 'BAD_USER_INPUT', field: 'report.id' })
  })
})

/** The events from the first that is no marker on. */
function withFirst(events: Subscription<any>, first: Promise<IteratorResult<any>>, marker: string): Subscription<any> {
  let waiting: Promise<IteratorResult<any>> | undefined = first
  return {
    connected: events.connected,
    async next() {
      for (;;) {
        const result = await (waiting ?? events.next())
        waiting = undefined
        if (result.done || result.value.requestFeed.record.model !== marker) return result
      }
    },
    return: () => events.return!(),
    [Symbol.asyncIterator]() {
      return this
    },
    [Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
  }
}
