/** When a client goes: the provider is let go, and the record says so. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import { begin } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import type { StoredRecord } from '../helpers/stored-record.ts'
import { behaviours, USAGE } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const scene = useScene()
/** Ten times the contract's 100 ms: other tests run beside this one. */
const PROMPTLY_MS = 1_000

/** Waits for the provider to be let go. */
async function letGo(count: number): Promise<void> {
  const ended = await within(PROMPTLY_MS, "the upstream request's end", (await scene.upstream.seen(count)).ended)
  assert.deepEqual({ finished: ended.finished, cutByUs: ended.cutByUs }, { finished: false, cutByUs: false })
}

function assertCancelled(record: StoredRecord): void {
  assert.equal(record.status, 'CANCELLED')
  assert.equal(record.httpStatus, 499)
  assert.equal(record.errorClass, 'client_cancelled')
}

/** Begins a request, without waiting for an answer. */
function ask(id: string, more: Readonly<Record<string, unknown>>) {
  const { request, answer } = begin(scene.chatUrl, {
    headers: { authorization: `Bearer ${scene.gateway.token}`, 'content-type': 'application/json', 'x-request-id': id },
  })
  request.end(JSON.stringify(scene.body(scene.alias, more)))
  return { request, answer }
}

describe('a client that goes', () => {
  test('in mid-stream: what it got is estimated', async () => {
    scene.upstream.next(behaviours.stall('mid-body'))
    const count = scene.upstream.requests.length + 1
    const id = uniqueName('mid-stream')
    const answer = await scene.open(scene.body(scene.alias, { stream: true }), { 'x-request-id': id })
    await answer.until('from')
    answer.abort()
    await letGo(count)
    const record = await scene.gateway.record(id)
    assertCancelled(record)
    assert.equal(record.usage.source, 'ESTIMATED')
    assert.ok(record.usage.outputTokens > 0 && record.usage.inputTokens > 0, JSON.stringify(record.usage))
    assert.ok(record.timeToFirstTokenMs !== null)
    assert.equal(record.attempts.length, 1)
    assert.equal(record.attempts[0]!.errorClass, 'client_cancelled')
  })

  test('in the middle of a fast stream that it does not read', async () => {
    scene.upstream.next(behaviours.endless())
    const count = scene.upstream.requests.length + 1
    const id = uniqueName('fast')
    const answer = await scene.open(scene.body(scene.alias, { stream: true }), { 'x-request-id': id })
    answer.stream.pause()
    const seen = await scene.upstream.seen(count)
    await waitFor(() => seen.bytesSent > 100_000)
    answer.abort()
    await letGo(count)
    assertCancelled(await scene.gateway.record(id))
  })

  for (const stream of [true, false]) {
    test(`before the answer's head has come${stream ? ', of a stream' : ''}`, async () => {
      scene.upstream.next(behaviours.stall('before-headers'))
      const count = scene.upstream.requests.length + 1
      const id = uniqueName('early')
      const { request } = ask(id, { stream })
      await scene.upstream.seen(count)
      request.destroy()
      await letGo(count)
      const record = await scene.gateway.record(id)
      assertCancelled(record)
      assert.notEqual(record.usage.source, 'PROVIDER')
      assert.equal(record.attempts[0]!.upstreamStatus, null)
    })
  }

  test('before the first token', async () => {
    scene.upstream.next(behaviours.stall('before-first-token'))
    const count = scene.upstream.requests.length + 1
    const id = uniqueName('no-token')
    const { request } = ask(id, { stream: true })
    const seen = await scene.upstream.seen(count)
    await waitFor(() => seen.bytesSent > 0)
    request.destroy()
    await letGo(count)
    assertCancelled(await scene.gateway.record(id))
  })

  test('in mid-body of an unstreamed answer', async () => {
    scene.upstream.next(behaviours.stall('mid-body'))
    const count = scene.upstream.requests.length + 1
    const id = uniqueName('mid-body')
    const { request } = ask(id, {})
    const seen = await scene.upstream.seen(count)
    await waitFor(() => seen.bytesSent > 0)
    request.destroy()
    await letGo(count)
    assertCancelled(await scene.gateway.record(id))
  })

  test('while it sends its body: nothing goes upstream', async () => {
    const before = scene.upstream.requests.length
    const id = uniqueName('half-sent')
    const { request } = begin(scene.chatUrl, {
      headers: { authorization: `Bearer ${scene.gateway.token}`, 'x-request-id': id, 'content-length': '100000' },
    })
    await new Promise((resolve) => request.write('{"model":"scene-alias",', resolve))
    request.destroy()
    const record = await scene.gateway.record(id)
    assertCancelled(record)
    assert.deepEqual(record.attempts, [])
    assert.equal(record.usage.source, 'NONE')
    assert.equal(scene.upstream.requests.length, before)
  })
})

describe('a client that hangs up right at [DONE] has had its answer', () => {
  const hangUp = async (id: string): Promise<void> => {
    const answer = await scene.open(scene.body(scene.alias, { stream: true }), { 'x-request-id': id })
    await answer.until('[DONE]')
    answer.abort()
  }
  const assertServed = ({ status, httpStatus, usage }: StoredRecord): void => {
    assert.deepEqual([status, httpStatus, usage.source], ['SUCCESS', 200, 'PROVIDER'])
    assert.deepEqual([usage.inputTokens, usage.outputTokens], [USAGE.prompt_tokens, USAGE.completion_tokens])
  }

  test('where the provider ends there too', async () => {
    scene.upstream.next(behaviours.answer())
    const id = uniqueName('at-done')
    await hangUp(id)
    assertServed(await scene.gateway.record(id))
  })

  test('where the provider keeps its answer open: it is let go', async () => {
    // Its idle time-out is a minute.
    scene.upstream.next(behaviours.lingering())
    const count = scene.upstream.requests.length + 1
    const id = uniqueName('at-done')
    await hangUp(id)
    await letGo(count)
    assertServed(await scene.gateway.record(id))
  })
})

test('fifty clients that go at once leave nothing behind', async () => {
  const first = scene.upstream.requests.length
  scene.upstream.next(...Array.from({ length: 50 }, () => behaviours.stall('mid-body')))
  const id = uniqueName('fifty')
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => scene.open(scene.body(scene.alias, { stream: true }), { 'x-request-id': id })),
  )
  for (const answer of answers) answer.abort()
  await within(5_000, 'the end of all', Promise.all(scene.upstream.requests.slice(first).map(({ ended }) => ended)))
  for (const record of await scene.gateway.records(id, 50)) assertCancelled(record)
  await waitFor(
    async () => {
      const { proxies } = await scene.gateway.control.gql<{ proxies: { inFlight: number }[] }>(
        '{ proxies { inFlight } }',
      )
      return proxies.length > 0 && proxies.every(({ inFlight }) => inFlight === 0)
    },
    { what: 'nothing in flight', timeoutMs: 20_000 },
  )
})
