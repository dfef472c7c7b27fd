/** SIGTERM: what is under way ends well, what is new is refused, and no record is lost. */
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { after, before, describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { startGateway, uniqueName, type Gateway } from '../helpers/gateway.ts'
import { open, send } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const stack = new AsyncDisposableStack()
let upstream: Upstream
let gateway: Gateway
let model: string

before(async () => {
  upstream = stack.use(await startUpstream())
  gateway = stack.use(await startGateway())
  model = await gateway.serve(upstream.baseUrl)
})
after(() => stack.disposeAsync())

const ask = (id: string, stream: boolean, agent?: Agent) => ({
  headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json', 'x-request-id': id },
  body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'x' }] }),
  ...(agent ? { agent } : {}),
})
const chatUrl = (): string => `${gateway.baseUrl}/chat/completions`

describe('SIGTERM', () => {
  test('a stream under way ends whole, new requests are refused, the process ends with 0', async () => {
    // A connection that is open before the signal, as clients keep theirs.
    using agent = new DisposableAgent({ keepAlive: true })
    assert.equal((await send(chatUrl(), ask(uniqueName('before'), false, agent))).status, 200)

    const { promise, resolve: release } = Promise.withResolvers<void>()
    upstream.next(behaviours.halfway(promise))
    const ids = { stream: uniqueName('stream'), kept: uniqueName('kept'), fresh: uniqueName('fresh') }
    const answer = await open(chatUrl(), ask(ids.stream, true))
    await answer.until('Hello')
    gateway.proxy.signal('SIGTERM')

    const refusal = { status: 503, type: 'upstream_error', code: 'shutting_down' }
    const kept = await waitFor(async () => {
      const one = await send(chatUrl(), ask(ids.kept, false, agent))
      return one.status !== 200 && one
    })
    assertError(kept, refusal)
    assert.ok(kept.headers['retry-after'], 'a 503 says when to come again')
    assertError(await send(chatUrl(), ask(ids.fresh, false)), refusal)
    assert.equal((await send(`${gateway.proxy.url}/readyz`, { method: 'GET' })).status, 503)

    release()
    const { body, complete } = await answer.rest()
    assert.ok(complete)
    assert.match(body.toString(), new RegExp(`${WORDS.at(-1)}.*data: \\[DONE\\]\\n\\n$`, 's'))
    const exit = await within(20_000, 'the end of the process', gateway.proxy.exited)
    assert.deepEqual(exit, { code: 0, signal: null })

    const record = await gateway.record(ids.stream)
    assert.equal(record.status, 'SUCCESS')
    assert.equal(record.usage.source, 'PROVIDER')
    const refused = await gateway.record(ids.fresh)
    assert.deepEqual([refused.status, refused.httpStatus, refused.errorClass], ['REJECTED', 503, 'shutting_down'])
  })

  test('an idle proxy ends at once, though clients keep connections open', async () => {
    await gateway.proxy.restart()
    await gateway.untilServed()
    using agent = new DisposableAgent({ keepAlive: true })
    assert.equal((await send(chatUrl(), ask(uniqueName('idle'), false, agent))).status, 200)
    gateway.proxy.signal('SIGTERM')
    // Far below the 30 seconds that streams get.
    assert.deepEqual(await within(15_000, 'the end of the process', gateway.proxy.exited), { code: 0, signal: null })
  })

  test('SIGINT does the same', async () => {
    await gateway.proxy.restart()
    gateway.proxy.signal('SIGINT')
    assert.deepEqual(await within(15_000, 'the end of the process', gateway.proxy.exited), { code: 0, signal: null })
  })
})

class DisposableAgent extends Agent implements Disposable {
  [Symbol.dispose](): void {
    this.destroy()
  }
}
