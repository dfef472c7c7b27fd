/** The feed for clients of plain HTTP, and how much one client may take of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { WebSocket } from 'ws'

import { uniqueName } from '../helpers/names.ts'
import { waitFor, within } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { ingest } from './feeding.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const QUERY = 'subscription ($filter: RequestFilter) { requestFeed(filter: $filter) { id record { model } } }'
/** As the README says. */
const MOST_OPERATIONS = 100
const MOST_SESSIONS = 1_000

/** An event stream as it comes. */
async function* eventsOf(response: Response): AsyncGenerator<{ event: string; data: any }> {
  let text = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      const field = (name: string): string => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? ''
      if (field('event')) yield { event: field('event'), data: field('data') && JSON.parse(field('data')) }
    }
  }
}

await onEachDatabase((stage) => {
  const open = (body: unknown, { key = stage.control.adminKey, ...more }: RequestInit & { key?: string } = {}) =>
    fetch(`${stage.control.url}/graphql/stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...more,
    })
  const subscribers = async (): Promise<number> => {
    const response = await fetch(`${stage.control.url}/metrics`)
    return Number(/^millrace_feed_subscribers (\d+)$/m.exec(await response.text())![1])
  }

  describe('a stream', () => {
    test('tells what a socket would, and ends with its client', async () => {
      const before = await subscribers()
      const model = uniqueName('streamed')
      const stop = new AbortController()
      const response = await open({ query: QUERY, variables: { filter: { model } } }, { signal: stop.signal })
      assert.equal(response.status, 200)
      assert.match(response.headers.get('content-type')!, /^text\/event-stream/)
      const events = eventsOf(response)
      const first = events.next()
      await waitFor(async () => {
        await ingest(stage.control, sample({ model }))
        return Promise.race([first, sleep(100)])
      })
      const { event, data } = (await first).value!
      assert.deepEqual([event, data.data.requestFeed.record.model], ['next', model])
      assert.equal(await subscribers(), before + 1)
      stop.abort()
      await waitFor(async () => (await subscribers()) === before)
    })

    test('answers a query, by GET too, and completes', async () => {
      const query = '{ viewer { role } }'
      const url = `${stage.control.url}/graphql/stream?query=${encodeURIComponent(query)}`
      const headers = { authorization: `Bearer ${stage.control.adminKey}`, accept: 'text/event-stream' }
      for (const response of [await open({ query }), await fetch(url, { headers })]) {
        const told = await Array.fromAsync(eventsOf(response))
        assert.deepEqual(told, [
          { event: 'next', data: { data: { viewer: { role: 'ADMIN' } } } },
          { event: 'complete', data: '' },
        ])
      }
    })

    for (const [what, query, code, field] of [
      ['no GraphQL', 'subscription {', 'GRAPHQL_PARSE_FAILED', undefined],
      ['an unknown field', 'subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED', undefined],
      ['what its key may not', 'subscription { liveWanted }', 'FORBIDDEN', undefined],
      [
        'too much',
        `{ ${'requests(first: 500) { edges { node { attempts { index } } } } '.repeat(60)} }`,
        'BAD_USER_INPUT',
        'query',
      ],
      ['a bad argument', 'subscription { requestFeed(after: "x") { id } }', 'BAD_USER_INPUT', 'after'],
      ['a bad value', 'subscription { requestFeed(kinds: [ENDED]) { id } }', 'BAD_USER_INPUT', 'kinds.0'],
    ] as const) {
      test(`says what is wrong with ${what}`, async () => {
        const [{ event, data }] = (await Array.fromAsync(eventsOf(await open({ query })))) as any
        assert.equal(event, 'next')
        const { extensions } = data.errors[0]
        assert.deepEqual([extensions.code, extensions.field], [code, field])
        assert.equal(data.data ?? null, null)
      })
    }

    test('refuses what is no operation, and whoever has no good key', async () => {
      const json = { authorization: `Bearer ${stage.control.adminKey}`, 'content-type': 'application/json' }
      for (const [status, sent, code] of [
        [400, open({ nothing: 1 }), 'BAD_USER_INPUT'],
        [400, open(undefined, { body: '{' }), 'BAD_USER_INPUT'],
        [405, open(undefined, { method: 'PUT' }), 'BAD_USER_INPUT'],
        [406, open({ query: QUERY }, { headers: { ...json, accept: 'image/png' } }), 'BAD_USER_INPUT'],
        [413, open({ query: `# ${'x'.repeat(2 * 1024 * 1024)}` }), 'BAD_USER_INPUT'],
        [415, open({ query: QUERY }, { headers: { ...json, 'content-type': 'text/plain' } }), 'BAD_USER_INPUT'],
        [401, open({ query: QUERY }, { headers: { 'content-type': 'application/json' } }), 'UNAUTHENTICATED'],
        [401, open({ query: QUERY }, { key: 'sk-none' }), 'UNAUTHENTICATED'],
      ] as const) {
        const response = await sent
        const { errors } = (await response.json()) as any
        assert.deepEqual([response.status, errors[0].extensions.code], [status, code])
      }
    })

    test("ends with its key's revocation", async () => {
      const { secret, adminKey } = (
        await stage.control.gql<any>(documents.CREATE_ADMIN_KEY, { name: 'short', role: 'VIEWER' })
      ).it
      const response = await open({ query: QUERY }, { key: secret })
      const told = Array.fromAsync(eventsOf(response))
      await stage.control.gql(documents.REVOKE_ADMIN_KEY, { id: adminKey.id })
      const events = await within(10_000, 'the end of the stream', told)
      assert.equal(events[0]!.data.errors[0].extensions.code, 'UNAUTHENTICATED')
    })
  })

  /** What comes on a socket, and how it is closed. */
  async function opened(key: string | null) {
    const socket = new WebSocket(`${stage.control.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws')
    const messages: any[] = []
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())))
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('open', resolve))
    const send = (message: object): void => socket.send(JSON.stringify(message))
    if (key !== null) {
      send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } })
      await Promise.race([waitFor(() => messages.length > 0), closed])
    }
    return { socket, messages, closed, send }
  }

  describe('a socket', () => {
    test('has so many operations at once, and is told of the rest', async () => {
      const { socket: one, messages, send } = await opened(stage.control.adminKey)
      for (let i = 0; i < 1_000; i++) send({ type: 'subscribe', id: `${i}`, payload: { query: QUERY } })
      const refused = (): any[] => messages.filter(({ type }) => type === 'error')
      await waitFor(() => refused().length >= 1_000 - MOST_OPERATIONS)
      assert.equal(refused().length, 1_000 - MOST_OPERATIONS)
      const [{ message, extensions }] = refused()[0].payload
      assert.equal(extensions.code, 'BAD_USER_INPUT')
      assert.match(message, /a socket may have 100 operations/)
      // The place of one that ends is free again.
      send({ type: 'complete', id: '0' })
      send({ type: 'subscribe', id: 'again', payload: { query: '{ viewer { role } }' } })
      await waitFor(() => messages.some(({ type, id }) => type === 'next' && id === 'again'))
      one.terminate()
    })

    test('that never says whose it is, is closed', async () => {
      const { closed } = await opened(null)
      assert.equal(await within(30_000, 'it to be closed', closed), 4408)
    })

    test('is refused a search of a megabyte', async () => {
      const { socket: one, messages, send } = await opened(stage.control.adminKey)
      const variables = { filter: { search: 'x'.repeat(1024 * 1024) } }
      send({ type: 'subscribe', id: '1', payload: { query: QUERY, variables } })
      const answer = await waitFor(() => messages[1])
      const [{ extensions }] = answer.payload.errors ?? answer.payload
      assert.deepEqual([extensions.code, extensions.field], ['BAD_USER_INPUT', 'filter.search'])
      one.terminate()
    })

    test(
      'finds a place among so many, and a proxy always does',
      { skip: stage.kind === 'PGlite' && 'sessions are the same with either database' },
      async () => {
        const sockets: WebSocket[] = []
        try {
          const codes = new Set<number>()
          // A busy machine may be late with the first message: that, too, closes a socket.
          for (let taken = 0; !codes.has(1013) && taken < MOST_SESSIONS + 10;) {
            assert.ok(sockets.length < 4 * MOST_SESSIONS, `closed with ${[...codes].join()}`)
            const some = await Promise.all(Array.from({ length: 50 }, () => opened(stage.control.adminKey)))
            sockets.push(...some.map((one) => one.socket))
            const refused = some.filter(({ messages }) => messages.length === 0)
            taken += some.length - refused.length
            for (const { closed } of refused) codes.add(await closed)
          }
          assert.ok(codes.has(1013), [...codes].join())
          assert.equal((await open({ query: QUERY })).status, 503)
          const proxy = await opened(stage.control.proxyKey)
          assert.equal(proxy.messages[0].type, 'connection_ack')
          sockets.push(proxy.socket)
        } finally {
          for (const one of sockets) one.terminate()
        }
        await waitFor(async () => (await open({ query: '{ viewer { role } }' })).status === 200)
      },
    )
  })

  test('streams end when control stops, and their clients can come again', async () => {
    const response = await open({ query: QUERY })
    const reader = response.body!.getReader()
    const end = (async () => {
      while (!(await reader.read()).done);
    })().catch((error: unknown) => error)
    await stage.control.restart()
    await within(10_000, 'the end of the stream', end)
    assert.equal((await open({ query: '{ viewer { role } }' })).status, 200)
  })
})
