/** What a proxy tells of requests while they are served, and when it does not. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { DEFAULT_CACHE, parseLiveEvent, type LiveEvent } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import { behaviours, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { startGuarded, type Guarded } from './access/guarded.ts'
import { Spoken } from './cache/spoken.ts'
import { Operator } from './live/operator.ts'
import { metricValue, readyz } from './workers/crew.ts'

const STREAM = { stream: true }

let guarded: Guarded
let operator: Operator
before(async () => {
  guarded = await startGuarded()
  operator = new Operator(guarded)
  operator.price()
  await guarded.serve()
})
after(() => guarded[Symbol.asyncDispose]())

/** What was told of a request, in its order. */
const told = (requestId: string): LiveEvent[] =>
  guarded.control.liveEvents.map(parseLiveEvent).filter(({ request }) => request.requestId === requestId)
const kindsOf = (requestId: string): string[] => told(requestId).map(({ kind }) => kind)

/** A good answer. @returns the request's id, when its record has come */
async function ask(body: object): Promise<string> {
  const requestId = uniqueName('told')
  const answer = await guarded.chat(body, { 'x-request-id': requestId })
  assert.equal(answer.status, 200)
  await guarded.record(answer)
  return requestId
}

/** Asks, and asserts what was told of it by the time that its record came; anew where the proxy was too slow for that. */
async function assertTold(body: object, kinds: readonly string[]): Promise<void> {
  await waitFor(async () => (assert.deepEqual(kindsOf(await ask(body)), kinds), true), { what: kinds.join(', ') })
}

/** How many events will never be told. */
const dropped = (): Promise<number> => metricValue(guarded, 'millrace_live_events_dropped_total')

/** Says whether anybody wants events, and waits until the proxy goes by it. */
async function want(wanted: boolean): Promise<void> {
  guarded.control.wantLive(wanted)
  await waitFor(async () => kindsOf(await ask({})).length > 0 === wanted, { what: `events to be told: ${wanted}` })
}

describe('live events', () => {
  test('are told while somebody wants them, and each before its record', async () => {
    assert.deepEqual(kindsOf(await ask(STREAM)), [])
    await want(true)
    await assertTold({}, ['STARTED'])
    await assertTold(STREAM, ['STARTED', 'FIRST_TOKEN'])
    await want(false)
    const asked: string[] = []
    for (let i = 0; i < 3; i++) asked.push(await ask(STREAM))
    assert.deepEqual(asked.flatMap(kindsOf), [])
  })

  test('tell a request as it stands, FIRST_TOKEN with its first content', async () => {
    await want(true)
    guarded.upstream.next(behaviours.stall('before-first-token'))
    const { length } = guarded.upstream.requests
    const waiting = operator.begin(STREAM)
    await guarded.upstream.seen(length + 1)
    guarded.upstream.next(behaviours.stall('mid-body'))
    const begun = operator.begin(STREAM)
    const answer = await begun.answer
    await answer.until(WORDS[1]!)
    await waitFor(() => kindsOf(begun.requestId).length === 2)
    const [started, first] = told(begun.requestId) as [LiveEvent, LiveEvent]
    assert.deepEqual(kindsOf(waiting.requestId), ['STARTED'])
    const seen = await operator.seen(begun)
    for (const { request } of [started, first])
      assert.deepEqual(
        [request.id, request.startedAt, request.projectId, request.tokenId, request.model, request.aliasId],
        [seen.id, seen.startedAt, seen.projectId, seen.tokenId, seen.model, seen.aliasId],
      )
    assert.equal(started.request.timeToFirstTokenMs, null)
    assert.equal(first.request.timeToFirstTokenMs, seen.timeToFirstTokenMs)
    assert.equal(first.request.providerId, seen.providerId)
    assert.ok(first.request.outputTokens >= 1 && Number(first.request.costUsd) > 0)
    assert.ok(first.at >= started.at && started.at >= seen.startedAt)
    assert.notEqual(first.id, started.id)
    for (const one of [begun, waiting]) await operator.cancelled(one)
    assert.deepEqual([kindsOf(begun.requestId).length, kindsOf(waiting.requestId).length], [2, 1])
  })

  test('come once of each that shares an answer, and of one that is stored', async () => {
    const spoken = new Spoken()
    const model = uniqueName('shared')
    guarded.upstream.on(model, spoken.behaviour)
    guarded.addAlias(model, { [model]: { providerModel: model } })
    const cache = { ...DEFAULT_CACHE, enabled: true, coalesce: true }
    guarded.change(({ aliases }) => ({
      aliases: aliases.map((alias) => (alias.name === model ? { ...alias, cache } : alias)),
    }))
    await guarded.serve()
    await want(true)
    const both = [operator.begin({ model, ...STREAM }), operator.begin({ model, ...STREAM })]
    for (const one of both) await operator.seen(one, ({ providerId }) => providerId !== null)
    await waitFor(() => both.every(({ requestId }) => kindsOf(requestId).length === 1))
    spoken.say('one')
    const answers = await Promise.all(both.map(async ({ answer }) => answer))
    for (const answer of answers) await answer.until('one')
    spoken.say('two')
    spoken.end()
    for (const answer of answers) await answer.rest()
    const stored = operator.begin({ model, ...STREAM })
    const hit = await stored.answer
    assert.equal(hit.headers['x-cache'], 'HIT')
    await hit.rest()
    for (const { requestId } of [...both, stored]) {
      await guarded.record({ headers: { 'x-request-id': requestId } })
      await waitFor(() => kindsOf(requestId).length >= 2)
      assert.deepEqual(kindsOf(requestId), ['STARTED', 'FIRST_TOKEN'])
    }
    const costs = [...both, stored].map(({ requestId }) => told(requestId)[1]!.request.costUsd)
    assert.deepEqual([costs.filter((cost) => cost === '0').length, costs[2]], [2, '0'])
  })

  test('are not told of who is not let in, nor twice of one that is tried twice', async () => {
    await want(true)
    const requestId = uniqueName('refused')
    assert.equal((await guarded.chat({ model: 'no such model' }, { 'x-request-id': requestId })).status, 404)
    guarded.upstream.next(behaviours.unavailable())
    const again = await ask(STREAM)
    await waitFor(() => kindsOf(again).length >= 2)
    assert.deepEqual(kindsOf(again), ['STARTED', 'FIRST_TOKEN'])
    assert.deepEqual(told(requestId), [])
  })

  test('that control does not take are gone, and hold up neither requests nor records', async () => {
    await want(true)
    guarded.control.reporting = 'refused'
    const count = await dropped()
    const lost = await ask(STREAM)
    await waitFor(async () => (await dropped()) - count >= 2, { what: 'both to be dropped' })
    guarded.control.reporting = 'taken'
    assert.equal((await dropped()) - count, 2)
    await want(true)
    assert.deepEqual(kindsOf(lost), [])
  })

  test('are told no more once control is away', async () => {
    await want(true)
    guarded.control.leave()
    guarded.control.wantLive(false)
    await waitFor(async () => (await readyz(guarded)).control?.state === 'away', { what: 'control to be missed' })
    await sleep(300)
    const [requestId, lost] = [uniqueName('away'), await dropped()]
    assert.equal((await guarded.chat(STREAM, { 'x-request-id': requestId })).status, 200)
    guarded.control.comeBack()
    await guarded.record({ headers: { 'x-request-id': requestId } })
    assert.deepEqual(kindsOf(requestId), [])
    assert.equal(await dropped(), lost)
  })
})
