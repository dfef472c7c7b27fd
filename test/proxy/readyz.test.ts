/** `/healthz` and `/readyz` tell the truth: before there is anything, without control, without Redis, at the end. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import type { Readyz } from '../helpers/gateway.ts'
import { open, send } from '../helpers/http.ts'
import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'

type Told = Readyz & { readonly status: number }

async function told({ proxy }: LoneProxy): Promise<Told> {
  const { status, text } = await send(`${proxy.url}/readyz`, { method: 'GET' })
  return { ...(JSON.parse(text) as Readyz), status }
}

const until = (lone: LoneProxy, what: string, is: (said: Told) => boolean): Promise<Told> =>
  waitFor(
    async () => {
      const said = await told(lone)
      return is(said) && said
    },
    { what, timeoutMs: 40_000 },
  )

async function assertAlive({ proxy }: LoneProxy): Promise<void> {
  const { status, text } = await send(`${proxy.url}/healthz`, { method: 'GET' })
  assert.deepEqual([status, JSON.parse(text)], [200, { status: 'ok' }])
  const head = await send(`${proxy.url}/healthz`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.text], [200, ''])
}

for (const workers of [1, 2]) {
  suite(`a proxy of ${workers}`, () => {
    test('is not ready before its first configuration, nor at its end, and is while control is away', async () => {
      await using lone = await startLoneProxy({ env: { MILLRACE_WORKERS: String(workers) } })
      const began = await until(lone, 'a connection', ({ control }) => control?.state === 'connected')
      const { since } = began.control!
      assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60_000)
      assert.deepEqual(began, {
        status: 503,
        ready: false,
        revision: null,
        problem: 'no configuration yet',
        control: { state: 'connected', since },
        redis: 'none',
        limits: 'local',
        records: { queued: 0, spooled: 0, dropped: 0 },
        workers: { ready: 0, of: workers },
      })
      await assertAlive(lone)

      assert.equal((await send(`${lone.proxy.url}/readyz`, { method: 'HEAD' })).status, 503)

      await lone.serve(7)
      const serving = await until(lone, 'all workers', ({ ready }) => ready)
      assert.deepEqual(
        [serving.status, serving.revision, serving.problem, serving.control!.state, serving.workers],
        [200, 7, null, 'connected', { ready: workers, of: workers }],
      )

      lone.control.leave()
      await lone.chat()
      const alone = await until(lone, 'control to be away', ({ control }) => control?.state === 'away')
      assert.deepEqual([alone.status, alone.ready, alone.revision], [200, true, 7])
      assert.ok(alone.control!.since >= serving.control!.since)
      await until(lone, 'a record that waits', ({ records }) => records.queued > 0)
      lone.control.comeBack()
      await until(
        lone,
        'control to be back',
        ({ control, records }) => control?.state === 'connected' && records.queued === 0,
      )

      lone.upstream.on('upstream-model', behaviours.stall('mid-body'))
      const { alias, token } = lone.configuration
      const body = JSON.stringify({ model: alias, stream: true, messages: [{ role: 'user', content: 'Say hello.' }] })
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      using stream = await open(`${lone.proxy.url}/v1/chat/completions`, { headers, body })
      lone.proxy.signal('SIGTERM')
      const ending = await until(lone, 'the end', (said) => said.workers.ready === 0)
      assert.deepEqual([ending.status, ending.ready, ending.revision], [503, false, 7])
      assert.match(ending.problem!, /shutting down/)
      await assertAlive(lone)
      stream.abort()
    })
  })
}

test('a control plane that takes connections and lets nobody in is away', async () => {
  await using lone = await startLoneProxy({ hangs: 'acknowledgement' })
  await waitFor(() => lone.control.stuck > 0, { timeoutMs: 20_000 })
  const { status, control } = await told(lone)
  assert.deepEqual([status, control?.state], [503, 'away'])
})

test('a proxy that must not serve for long without control is not ready when it has', async () => {
  await using lone = await startLoneProxy({ env: { MILLRACE_MAX_STALE_SECONDS: '1' } })
  await lone.serve(1)
  lone.control.leave()
  const stale = await until(lone, 'what is served by to be stale', ({ ready }) => !ready)
  assert.deepEqual(
    [stale.status, stale.problem, stale.control!.state],
    [503, 'without the control plane for too long', 'away'],
  )
  lone.control.comeBack()
  await until(lone, 'it to be the newest again', ({ ready }) => ready)
})

test('a Redis that is gone is told of, and makes nothing unready', { skip: await redisUnusable() }, async () => {
  await using redis = await RedisServer.start()
  await using lone = await startLoneProxy({ env: { MILLRACE_REDIS_URL: redis.url } })
  await lone.serve(1)
  await until(lone, 'Redis to be there', ({ redis: is, limits }) => is === 'up' && limits === 'redis')
  await redis.stop()
  const without = await until(lone, 'Redis to be gone', ({ redis: is }) => is === 'down')
  assert.deepEqual([without.status, without.ready], [200, true])
  await until(lone, 'limits to be counted here', ({ limits }) => limits === 'local (redis is away)')
  assert.equal((await lone.chat()).status, 200)
  await redis.start()
  await until(lone, 'Redis to be back', ({ redis: is }) => is === 'up')
})
