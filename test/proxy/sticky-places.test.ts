/** While a binding is looked up in Redis, others may take the place, or the trial, that there was before: it is asked again. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { BY_USER } from './sticky/asking.ts'

const AT_ONCE = 20
const good = behaviours.answer()
const skip = await redisUnusable()
const redis = skip === false ? await RedisServer.start() : null

describe('of many first requests at once, each of another user,', { skip }, () => {
  const scene = useScene({ proxyEnv: { MILLRACE_REDIS_URL: redis?.url ?? '' } })
  after(() => redis?.[Symbol.asyncDispose]())

  const ask = <K extends string>(routed: Routed<K>): Promise<Answer> =>
    scene.chat(scene.body(routed.model, { user: uniqueName('user') }))

  const many = <K extends string>(routed: Routed<K>): Promise<Answer[]> =>
    Promise.all(Array.from({ length: AT_ONCE }, () => ask(routed)))

  /** Redis is asked only once the proxy has found it. */
  async function inRedis<K extends string>(routed: Routed<K>): Promise<Routed<K>> {
    await waitFor(
      async () => {
        const { headers } = await ask(routed)
        const { decision } = await scene.gateway.record(String(headers['x-request-id']))
        return decision?.sticky.backend === 'redis'
      },
      { what: 'Redis to be asked', timeoutMs: 60_000 },
    )
    return routed
  }

  test('no more than may are at a provider, and all are answered', async () => {
    const provider = { maxConcurrency: 1, timeouts: { connect: 60_000 } }
    const routed = await inRedis(await scene.routed({ only: { provider } }, BY_USER))
    let now = 0
    let most = 0
    routed.behaves('only', async (exchange) => {
      most = Math.max(most, ++now)
      await exchange.pause(50)
      // Before the answer has left: with it the gateway has its place again.
      now--
      await good(exchange)
    })
    assert.deepEqual(routed.count(await many(routed)), { only: AT_ONCE })
    assert.equal(most, 1)
  })

  test('those that wait in vain for a place are refused, not sent all the same', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const provider = { maxConcurrency: 1, timeouts: { connect: 300 } }
    const routed = await inRedis(await scene.routed({ only: { provider } }, BY_USER))
    routed.behaves('only', behaviours.onceReleased(promise, good))
    const before = routed.calls('only')
    const refused: Answer[] = []
    const asked = Array.from({ length: AT_ONCE }, async () => {
      const answer = await ask(routed)
      if (answer.status !== 200) refused.push(answer)
      return answer
    })
    await waitFor(() => refused.length === AT_ONCE - 1, { what: 'all but one to be refused', timeoutMs: 30_000 })
    for (const answer of refused) {
      assertError(answer, { status: 503, type: 'upstream_error', code: 'provider_at_capacity' })
    }
    assert.equal(routed.calls('only'), before + 1)
    resolve()
    await Promise.all(asked)
  })

  test('one is the trial of a breaker that is half open, and the others go elsewhere', async () => {
    const breaker = { consecutiveFailures: 3, openSeconds: 1 }
    const routed = await inRedis(
      await scene.routed({ first: { provider: { breaker } }, other: { priority: 1 } }, BY_USER),
    )
    routed.behaves('first', behaviours.serverError())
    for (let i = 0; i < 3; i++) assert.equal(routed.by(await ask(routed)), 'other')
    const { promise, resolve } = Promise.withResolvers<void>()
    routed.behaves('first', behaviours.onceReleased(promise, good))
    const before = routed.calls('first')
    await sleep(1_500)
    let elsewhere = 0
    const asked = Array.from({ length: AT_ONCE }, async () => {
      const answer = await ask(routed)
      if (routed.by(answer) === 'other') elsewhere++
      return answer
    })
    await waitFor(() => elsewhere === AT_ONCE - 1, { what: 'all but one to go elsewhere' })
    assert.equal(routed.calls('first'), before + 1)
    resolve()
    assert.deepEqual(routed.count(await Promise.all(asked)), { first: 1, other: AT_ONCE - 1 })
  })
})
