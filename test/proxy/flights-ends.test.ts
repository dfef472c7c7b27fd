/** Requests that share an answer and end one by one: cut off, let go or left behind, while others stay. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { startGateway, uniqueName, type Gateway } from '../helpers/gateway.ts'
import type { OpenAnswer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import {
  addCached,
  assertCost,
  COST_USD,
  costOf,
  joining,
  numbered,
  outcomeOf,
  recordOf,
  recordsOf,
} from './cache/caching.ts'
import { Spoken } from './cache/spoken.ts'

const scene = useScene({ proxyEnv: { MILLRACE_REVOKED_STREAMS: 'cut' } })
const STREAM = { stream: true }
const SHARED = { enabled: true, coalesce: true, shareAcrossProject: true }
const MB = 1_024 * 1_024

function revoke({ control }: Gateway, id: string): Promise<unknown> {
  return control.gql('mutation ($id: ID!) { revokeToken(id: $id) { id } }', { id })
}

async function endOf(answer: OpenAnswer): Promise<string> {
  const { body } = await within(20_000, 'the end', answer.rest())
  return body.toString()
}

describe('who is cut off', { concurrency: true }, () => {
  for (const sync of ['true', 'false']) {
    test(`does not pay if others stay: x-millrace-sync ${sync}`, async () => {
      const spoken = new Spoken()
      const cached = await addCached(scene, { behaviour: spoken.behaviour, cache: SHARED })
      const revoked = await scene.gateway.addToken()
      await scene.gateway.untilServed()
      spoken.say('one')
      const headers = { 'x-millrace-sync': sync }
      const first = await cached.open(STREAM, { token: revoked.secret, headers })
      await first.until('one')
      const second = await cached.open(STREAM)
      await second.until('one')
      await revoke(scene.gateway, revoked.id)
      assert.match(await endOf(first), /"code":"token_revoked"/)
      spoken.say('two')
      spoken.end()
      assert.match(await endOf(second), /two.*\[DONE\]\n\n$/s)
      const [cut, paid] = [await recordOf(scene.gateway, first), await recordOf(scene.gateway, second)]
      assert.deepEqual(
        [cut.status, cut.errorClass, cut.attempts, cut.usage.billed],
        ['ERROR', 'token_revoked', [], false],
      )
      assert.deepEqual([paid.status, paid.attempts.length, paid.usage.billed], ['SUCCESS', 1, true])
      assertCost(costOf([cut, paid]), COST_USD)
    })
  }

  test('as the last one: the provider is let go for that reason', async () => {
    const cached = await addCached(scene, { behaviour: behaviours.stall('mid-body'), cache: SHARED })
    const revoked = await scene.gateway.addToken()
    await scene.gateway.untilServed()
    const answer = await cached.open(STREAM, { token: revoked.secret })
    await answer.until('from')
    await revoke(scene.gateway, revoked.id)
    assert.match(await endOf(answer), /"code":"token_revoked"/)
    await within(5_000, "the upstream request's end", cached.seen[0]!.ended)
    const { errorClass, attempts, usage } = await recordOf(scene.gateway, answer)
    assert.deepEqual(
      [errorClass, attempts[0]?.errorClass, usage.source],
      ['token_revoked', 'admin_cancelled', 'ESTIMATED'],
    )
  })
})

test('who takes nothing when the process ends is recorded as what it is', async () => {
  await using upstream = await startUpstream()
  await using gateway = await startGateway({ proxyEnv: { MILLRACE_DRAIN_SECONDS: '1' } })
  const spoken = new Spoken()
  const cached = await addCached({ gateway, upstream }, { behaviour: spoken.behaviour, cache: SHARED })
  const ids = ['fast', 'slow', 'slow'].map(uniqueName)
  const answers: OpenAnswer[] = []
  spoken.say('one')
  for (const id of ids) {
    const answer = await cached.open(STREAM, { headers: { 'x-request-id': id } })
    await answer.until('one')
    answers.push(answer)
  }
  const [fast, ...slow] = answers as [OpenAnswer, OpenAnswer, OpenAnswer]
  for (const one of slow) one.stream.pause()
  for (let i = 0; i < 5; i++) spoken.say('x'.repeat(MB))
  spoken.say('two')
  await within(20_000, 'two', fast.until('two'))
  gateway.proxy.signal('SIGTERM')
  assert.match(await endOf(fast), /"code":"shutting_down"/)
  await within(20_000, 'the end of the process', gateway.proxy.exited)
  for (const id of ids) {
    const { status, errorClass } = await gateway.record(id)
    assert.equal(status, 'ERROR')
    assert.ok(['shutting_down', 'stream_truncated'].includes(errorClass!), errorClass!)
  }
  for (const one of slow) one.abort()
})

test('an answer that was being fetched when it was purged is not given to who asks later', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cached = await addCached(scene, { behaviour: behaviours.onceReleased(promise, numbered()), cache: SHARED })
  const { proxy } = scene.gateway
  const before = await joining(proxy, 1, () => [cached.ask(), cached.ask()])
  const input = { model: cached.model }
  await scene.gateway.control.gql('mutation ($input: PurgeCacheInput!) { purgeCache(input: $input) }', { input })
  const after = await joining(proxy, 1, () => [cached.ask(), cached.ask()])
  await waitFor(() => cached.calls === 2)
  resolve()
  const [old, news] = [await Promise.all(before), await Promise.all(after)]
  assert.deepEqual([...old, ...news].map(outcomeOf).sort(), ['COALESCED', 'COALESCED', 'MISS', 'MISS'])
  assert.equal(cached.calls, 2)
  assert.equal(news[0]!.text, news[1]!.text)
  assert.notEqual(news[0]!.text, old[0]!.text)
  assert.equal((await cached.outcome('HIT')).text, news[0]!.text)
  await recordsOf(scene.gateway, cached.model, 5)
})
