/** Providers that take only so many requests at once: passed over, or waited for in a queue that is fair and bounded. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { begin, type Answer } from '../helpers/http.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const scene = useScene()
const atCapacity = { status: 503, type: 'upstream_error', code: 'provider_at_capacity' }
const good = behaviours.answer()
/** How long a request may wait for a place: far beyond what a test takes. */
const PATIENT = { timeouts: { connect: 60_000 } }
const PROMPTLY_MS = 5_000

/** A provider that answers nothing until it is told to. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { behaviour: behaviours.onceReleased(promise, good), release: resolve }
}

const ask = <K extends string>(routed: Routed<K>, user?: string, token?: string): Promise<Answer> =>
  scene.chat(
    scene.body(routed.model, user === undefined ? {} : { user }),
    token === undefined ? {} : { authorization: `Bearer ${token}` },
  )

/** Requests that are on their way to their place in the queue are there once a later one has been answered. */
async function queued(): Promise<void> {
  for (let i = 0; i < 3; i++) await scene.chat(scene.body())
}

describe('a full provider', { concurrency: true }, () => {
  test('is passed over', async () => {
    const { behaviour, release } = held()
    const routed = await scene.routed({
      small: { behaviour, provider: { maxConcurrency: 2 } },
      other: { priority: 1 },
    })
    const first = [ask(routed), ask(routed)]
    await waitFor(() => routed.calls('small') === 2)
    const answer = await ask(routed)
    assert.equal(routed.by(answer), 'other')
    release()
    assert.deepEqual(routed.count(await Promise.all(first)), { small: 2 })
    assert.equal(routed.by(await ask(routed)), 'small', 'its places are free again')
    const { decision } = await scene.gateway.record(String(answer.headers['x-request-id']))
    assert.deepEqual(routed.excluded(decision!), { small: 'AT_CONCURRENCY_LIMIT', other: null })
  })

  test('is waited for where there is no other: never more than its limit, and all are answered', async () => {
    let now = 0
    let most = 0
    const counting = behaviours.answer({ afterMs: 20 })
    const routed = await scene.routed({
      only: {
        provider: { maxConcurrency: 3, ...PATIENT },
        behaviour: async (exchange) => {
          most = Math.max(most, ++now)
          try {
            await counting(exchange)
          } finally {
            now--
          }
        },
      },
    })
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(routed)))
    assert.deepEqual(routed.count(answers), { only: 40 })
    // The upstream may see an answer's end a moment after the gateway does.
    assert.ok(most >= 2 && most <= 4, `${most} at once`)
  })

  test('is waited for no longer than a connection: 503 with a retry-after', async () => {
    const { behaviour, release } = held()
    const provider = { maxConcurrency: 1, timeouts: { connect: 300 } }
    const routed = await scene.routed({ only: { behaviour, provider } })
    const first = ask(routed)
    await waitFor(() => routed.calls('only') === 1)
    const refused = await within(30_000, 'the refusal', ask(routed))
    assertError(refused, atCapacity)
    assert.ok(Number(refused.headers['retry-after']) >= 1)
    assert.ok(Number(refused.headers['retry-after-ms']) > 0)
    release()
    assert.equal((await first).status, 200)
    assert.equal(routed.calls('only'), 1)
    const record = await scene.gateway.record(String(refused.headers['x-request-id']))
    assert.deepEqual(
      [record.status, record.httpStatus, record.errorClass, record.attempts.length],
      ['REJECTED', 503, 'provider_at_capacity', 0],
    )
    assert.deepEqual(routed.excluded(record.decision!), { only: 'AT_CONCURRENCY_LIMIT' })
  })

  test('is shared fairly: who asks once does not stand behind all of who asks often', async () => {
    const { behaviour, release } = held()
    const routed = await scene.routed({ only: { behaviour, provider: { maxConcurrency: 1, ...PATIENT } } })
    const often = (await scene.gateway.addToken()).secret
    const once = (await scene.gateway.addToken()).secret
    await scene.gateway.untilServed()
    const answers = [ask(routed, 'holder', often)]
    await waitFor(() => routed.calls('only') === 1)
    for (let i = 0; i < 8; i++) answers.push(ask(routed, 'often', often))
    await queued()
    answers.push(ask(routed, 'once', once))
    await queued()
    release()
    await Promise.all(answers)
    const order = routed.seen('only').map(({ json }) => json.user as string)
    const place = order.indexOf('once')
    assert.ok(place >= 1 && place <= 3, order.join(' '))
  })

  test('is waited for by so many and no more: beyond that 503 at once', async () => {
    const { behaviour, release } = held()
    const routed = await scene.routed({ only: { behaviour, provider: { maxConcurrency: 1, ...PATIENT } } })
    const { secret } = await scene.gateway.addToken()
    await scene.gateway.untilServed()
    const refused: Answer[] = []
    const asked = Array.from({ length: 400 }, async () => {
      const answer = await ask(routed, 'flood', secret)
      if (answer.status !== 200) refused.push(answer)
      return answer
    })
    await waitFor(() => refused.length > 0, { what: 'a refusal', timeoutMs: 30_000 })
    for (const answer of refused) assertError(answer, atCapacity)
    // One token's flood leaves room for another's.
    const other = ask(routed, 'other')
    await queued()
    release()
    assert.equal((await other).status, 200)
    const answers = await Promise.all(asked)
    assert.ok(answers.filter(({ status }) => status === 200).length >= 100)
  })

  test('whose limit is raised takes those who wait', async () => {
    const { behaviour, release } = held()
    const routed = await scene.routed({ only: { behaviour, provider: { maxConcurrency: 1, ...PATIENT } } })
    const answers = Array.from({ length: 4 }, () => ask(routed))
    await waitFor(() => routed.calls('only') === 1)
    await scene.gateway.control.gql(
      'mutation ($id: ID!) { updateProvider(id: $id, input: { maxConcurrency: 3 }) { maxConcurrency } }',
      { id: routed.provider('only') },
    )
    await waitFor(() => routed.calls('only') === 3, { what: 'three at once' })
    release()
    assert.deepEqual(routed.count(await Promise.all(answers)), { only: 4 })
  })

  test('has room for others while a request waits to ask it again', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const failing = behaviours.onceReleased(promise, behaviours.serverError())
    const routed = await scene.routed(
      { only: { behaviour: behaviours.inTurn(failing, good), provider: { maxConcurrency: 1, ...PATIENT } } },
      { retry: { initialBackoffMs: 6_000, jitter: 0 } },
    )
    const first = ask(routed, 'first')
    await waitFor(() => routed.calls('only') === 1)
    const second = ask(routed, 'second')
    await queued()
    resolve()
    assert.equal((await second).status, 200)
    assert.equal((await ask(routed, 'third')).status, 200)
    assert.equal((await first).status, 200)
    const order = routed.seen('only').map(({ json }) => json.user as string)
    assert.deepEqual(order, ['first', 'second', 'third', 'first'])
  })

  test('whose client goes gives its place to the next', async () => {
    const routed = await scene.routed({
      only: { behaviour: behaviours.stall('before-headers'), provider: { maxConcurrency: 1, ...PATIENT } },
    })
    const { request } = begin(scene.chatUrl, { headers: { authorization: `Bearer ${scene.gateway.token}` } })
    request.end(JSON.stringify(scene.body(routed.model)))
    await waitFor(() => routed.calls('only') === 1)
    routed.behaves('only', good)
    const next = ask(routed)
    await queued()
    assert.equal(routed.calls('only'), 1, 'the next waits')
    request.destroy()
    assert.equal((await within(PROMPTLY_MS, 'the next answer', next)).status, 200)
  })

  test('whose stream ends, or fails, gives its place to the next', async () => {
    for (const behaviour of [good, behaviours.cutOff('mid-event'), behaviours.serverError()]) {
      const provider = { maxConcurrency: 1, ...PATIENT }
      const routed = await scene.routed({ only: { behaviour, provider } }, { retry: { maxAttempts: 1 } })
      for (let i = 0; i < 3; i++) {
        await within(PROMPTLY_MS, 'an answer', scene.chat(scene.body(routed.model, { stream: true })))
      }
      assert.equal(routed.calls('only'), 3)
    }
  })

  test('is not asked for a client that went while it waited', async () => {
    const { behaviour, release } = held()
    const routed = await scene.routed({ only: { behaviour, provider: { maxConcurrency: 1, ...PATIENT } } })
    const first = ask(routed)
    await waitFor(() => routed.calls('only') === 1)
    const id = `${routed.model}-gone`
    const { request } = begin(scene.chatUrl, {
      headers: { authorization: `Bearer ${scene.gateway.token}`, 'x-request-id': id },
    })
    request.end(JSON.stringify(scene.body(routed.model)))
    await queued()
    const last = ask(routed)
    await queued()
    request.destroy()
    const record = await scene.gateway.record(id)
    assert.deepEqual([record.status, record.httpStatus, record.attempts.length], ['CANCELLED', 499, 0])
    release()
    assert.equal((await first).status, 200)
    assert.equal((await last).status, 200)
    assert.equal(routed.calls('only'), 2)
  })
})
