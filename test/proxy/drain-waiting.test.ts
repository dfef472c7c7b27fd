/** SIGTERM, and the time to drain is over, while requests wait for something else than an answer. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError } from '../helpers/error-shape.ts'
import { startGateway, uniqueName, type Gateway } from '../helpers/gateway.ts'
import { send, type Answer } from '../helpers/http.ts'
import { addRouted, type Routed } from '../helpers/routed.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const LONG_MS = 15_000
const MINUTE_MS = 60_000
const stack = new AsyncDisposableStack()
const ids = { backoff: uniqueName('backoff'), resting: uniqueName('resting'), queue: uniqueName('queue') }
const answers = {} as Record<keyof typeof ids | 'hedged', Promise<Answer>>
let gateway: Gateway

before(async () => {
  const upstream = stack.use(await startUpstream())
  gateway = stack.use(await startGateway({ proxyEnv: { MILLRACE_DRAIN_SECONDS: '1' } }))
  const { control } = gateway
  const stalled = behaviours.stall('before-headers')
  const patient = { retry: { initialBackoffMs: MINUTE_MS, maxBackoffMs: MINUTE_MS } }
  const backoff = await addRouted(control, upstream, { only: { behaviour: behaviours.serverError() } }, patient)
  const limited = { behaviour: behaviours.rateLimited('50') }
  const resting = await addRouted(control, upstream, { only: limited }, { retry: { ...patient.retry, maxAttempts: 2 } })
  const small = { behaviour: stalled, provider: { maxConcurrency: 1, timeouts: { connect: MINUTE_MS } } }
  const queue = await addRouted(control, upstream, { only: small })
  const hedge = { afterMs: 50, maxExtraPercent: 100 }
  const hedged = await addRouted(control, upstream, { a: { behaviour: stalled }, b: { behaviour: stalled } }, { hedge })
  await gateway.untilServed()

  const ask = <K extends string>({ model }: Routed<K>, id = uniqueName('waiting')): Promise<Answer> => {
    const answer = send(`${gateway.baseUrl}/chat/completions`, {
      headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] }),
    })
    answer.catch(() => undefined)
    return answer
  }
  answers.backoff = ask(backoff, ids.backoff)
  answers.resting = ask(resting, ids.resting)
  answers.hedged = ask(hedged)
  void ask(queue)
  await waitFor(() => queue.calls('only') === 1)
  answers.queue = ask(queue, ids.queue)
  await waitFor(() => backoff.calls('only') + resting.calls('only') + hedged.calls('a') + hedged.calls('b') === 4)
  await sleep(500)
  gateway.proxy.signal('SIGTERM')
})
after(() => stack.disposeAsync())

describe('when the time to drain is over', () => {
  const waits: [keyof typeof answers, string][] = [
    ['backoff', 'for its next try'],
    ['resting', 'for a route that rests'],
    ['queue', 'for a place at a full provider'],
    ['hedged', 'for the first of two routes'],
  ]
  for (const [name, what] of waits) {
    test(`a request that waits ${what} is told so`, async () => {
      const answer = await within(LONG_MS, 'the answer', answers[name])
      assertError(answer, { status: 503, type: 'upstream_error', code: 'shutting_down' })
    })
  }

  test('the process ends in good order, and each request has its record', async () => {
    const exit = await within(LONG_MS, 'the end of the process', gateway.proxy.exited)
    assert.deepEqual(exit, { code: 0, signal: null })
    for (const id of Object.values(ids)) assert.equal((await gateway.record(id)).errorClass, 'shutting_down')
  })
})
