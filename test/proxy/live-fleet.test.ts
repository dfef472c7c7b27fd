/** Requests on several proxies, one of several processes, looked at and ended from several control processes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { open, send, type OpenAnswer } from '../helpers/http.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres } from '../helpers/postgres.ts'
import type { ProxyProcess } from '../helpers/proxy.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { LET_GO_MS, TOLD_MS } from './live/operator.ts'
import { allReady, THREE } from './workers/crew.ts'

const LIST = '{ it: inFlightRequests { id requestId outputTokens proxyId } }'
const CANCEL = 'mutation ($id: ID!) { it: cancelRequest(id: $id) }'
const TEST = 'mutation ($id: ID!) { it: testProvider(id: $id, model: "tried") { ok message } }'

const server = await startPostgres()

describe('a fleet', { skip: 'skip' in server ? server.skip : false }, () => {
  const stack = new AsyncDisposableStack()
  let gateway: Gateway
  let second: ProxyProcess
  let other: ControlProcess
  let upstream: Upstream
  let alias: string
  let stalling: string

  before(async () => {
    if ('skip' in server) return
    stack.use(server)
    const database = stack.use(await server.createDatabase())
    upstream = stack.use(await startUpstream())
    gateway = stack.use(await startGateway({ databaseUrl: database.url, proxyEnv: THREE }))
    other = stack.use(await startControl({ databaseUrl: database.url, dataDir: gateway.control.dataDir }))
    upstream.on('stalling', behaviours.stall('mid-body'))
    alias = await gateway.serve(upstream.baseUrl)
    stalling = await gateway.serve(upstream.baseUrl, { providerModel: 'stalling' })
    second = await gateway.addProxy()
    await allReady(gateway.proxy)
    await allReady(second)
    await gateway.untilServed()
  })
  after(() => stack.disposeAsync())

  const headers = (requestId = uniqueName('fleet')): Record<string, string> => ({
    authorization: `Bearer ${gateway.token}`,
    'content-type': 'application/json',
    'x-request-id': requestId,
  })
  const body = (streamed: boolean, model = alias): string =>
    JSON.stringify({ model, stream: streamed, messages: [{ role: 'user', content: 'Say hello.' }] })
  const ask = async <T>(control: ControlProcess, document: string, variables = {}): Promise<T> =>
    (await within(TOLD_MS, document, control.gql<{ it: T }>(document, variables, gateway.control.adminKey))).it
  /** A stream that stops after two words, on a process of the proxy. */
  async function stream(proxy: ProxyProcess): Promise<OpenAnswer> {
    const answer = await open(`${proxy.url}/v1/chat/completions`, { headers: headers(), body: body(true, stalling) })
    await answer.until(WORDS[1]!)
    return answer
  }
  const listed = (control: ControlProcess): Promise<{ id: string; outputTokens: number; proxyId: string }[]> =>
    ask(control, LIST)

  test('tries a provider once, whichever control is asked', async () => {
    const provider = await gateway.addProvider(upstream.baseUrl)
    for (const control of [gateway.control, other])
      assert.deepEqual(await ask(control, TEST, { id: provider }), { ok: true, message: null })
    assert.equal(upstream.requests.filter(({ model }) => model === 'tried').length, 2)
  })

  test('is seen whole by each, and each ends what is anywhere', async () => {
    // Connections go to workers in turn.
    const answers: OpenAnswer[] = []
    for (const proxy of [gateway.proxy, second]) for (let i = 0; i < 4; i++) answers.push(await stream(proxy))
    const idOf = ({ headers: { 'x-millrace-id': id } }: OpenAnswer): string => String(id)
    const expected = answers.map(idOf)
    for (const control of [gateway.control, other]) {
      // A proxy that has just started may not have reported itself yet.
      const found = await waitFor(async () => {
        const all = await listed(control)
        return all.length === answers.length && all
      })
      assert.deepEqual(new Set(found.map(({ id }) => id)), new Set(expected))
      assert.equal(new Set(found.map(({ proxyId }) => proxyId)).size, 2)
      assert.ok(found.every(({ outputTokens }) => outputTokens === 2))
    }
    for (const [i, answer] of answers.entries()) {
      const control = i % 2 === 0 ? gateway.control : other
      assert.equal(await ask(control, CANCEL, { id: idOf(answer) }), true)
      const { body: rest } = await within(TOLD_MS, 'the error event', answer.rest())
      assert.match(rest.toString(), /"code":"admin_cancelled"/)
      const record = await gateway.record(String(answer.headers['x-request-id']))
      assert.deepEqual(
        [record.status, record.errorClass, record.httpStatus, record.usage.source],
        ['CANCELLED', 'admin_cancelled', 499, 'ESTIMATED'],
      )
      assert.equal(await ask(control, CANCEL, { id: idOf(answer) }), false)
    }
    await within(LET_GO_MS, 'all upstreams', Promise.all(upstream.requests.slice(-8).map(({ ended }) => ended)))
    assert.deepEqual(await listed(other), [])
  })

  test('lets a cancel through under load, and the load through the asking', async () => {
    const enough = new AbortController()
    const statuses: number[] = []
    const clients = Array.from({ length: 16 }, async (_, i) => {
      const url = `${[gateway.proxy, second][i % 2]!.url}/v1/chat/completions`
      while (!enough.signal.aborted)
        statuses.push((await send(url, { headers: headers(), body: body(i % 4 === 0) })).status)
    })
    try {
      for (let i = 0; i < 5; i++) {
        const answer = await stream(second)
        const id = String(answer.headers['x-millrace-id'])
        // A machine with other things to do may be too late for the second that is waited.
        await waitFor(async () => (await listed(other)).some((one) => one.id === id), {
          what: 'the stream to be listed',
        })
        let isOver = false
        const over = answer.rest().finally(() => (isOver = true))
        await waitFor(async () => (await ask(gateway.control, CANCEL, { id })) || isOver, {
          what: 'it to be cancelled',
        })
        const { body: rest } = await within(TOLD_MS, 'the error event', over)
        assert.match(rest.toString(), /"code":"admin_cancelled"/)
      }
    } finally {
      enough.abort()
      await Promise.all(clients)
    }
    assert.ok(statuses.length > 0)
    assert.deepEqual([...new Set(statuses)], [200])
  })
})
