/** MILLRACE_MAX_STALE_SECONDS: how long a proxy serves by what its control plane said last. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { assertError } from '../helpers/error-shape.ts'
import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { waitFor } from '../helpers/wait.ts'

let lone: LoneProxy
before(async () => {
  lone = await startLoneProxy({ env: { MILLRACE_MAX_STALE_SECONDS: '1' } })
  await lone.serve(1)
})
after(() => lone[Symbol.asyncDispose]())

/** For good, not only between two signs of life. */
async function assertRefusesOn(): Promise<void> {
  // What was said before has been heard by then.
  await sleep(1_500)
  await waitFor(async () => (await lone.chat()).status === 503, { what: 'requests to be refused', timeoutMs: 20_000 })
  for (let i = 0; i < 10; i++) {
    const answer = await lone.chat()
    assertError(answer, { status: 503, type: 'upstream_error', code: 'not_ready' })
    assert.ok(answer.headers['retry-after'], 'a 503 says when to come again')
    assert.equal(await lone.readiness(), 503)
    await sleep(300)
  }
}

async function assertServesAgain(): Promise<void> {
  await waitFor(async () => (await lone.chat()).status === 200, { what: 'requests to be served', timeoutMs: 60_000 })
  await waitFor(async () => (await lone.readiness()) === 200, { what: 'a proxy that is ready' })
}

test('control is gone for longer: 503 until it is back', async () => {
  await assertServesAgain()
  lone.control.leave()
  await assertRefusesOn()
  lone.control.comeBack()
  await assertServesAgain()
})

test('control has a newer configuration, which cannot be used: 503 until there is one that can', async () => {
  await assertServesAgain()
  lone.control.publish({ ...lone.configuration.at(2), format: 99 })
  await assertRefusesOn()
  lone.control.publish(lone.configuration.at(3))
  await assertServesAgain()
})
