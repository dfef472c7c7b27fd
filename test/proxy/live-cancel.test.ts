/** Requests that operators look at, and end, in every state in which they can be. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { DEFAULT_CACHE, DEFAULT_RETRY, newId, type CachePolicy } from '@millrace/shared'

import { assertError, assertErrorBody } from '../helpers/error-shape.ts'
import type { OpenAnswer } from '../helpers/http.ts'
import { uniqueName } from '../helpers/names.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { bearer, type Guarded } from './access/guarded.ts'
import { Spoken } from './cache/spoken.ts'
import { LET_GO_MS, Operator, TOLD_MS, type Begun } from './live/operator.ts'
import { startPassing, type Passing } from './passthrough/passing.ts'

const CANCELLED = { status: 499, type: 'permission_error', code: 'admin_cancelled' }
const STREAM = { stream: true }

let passing: Passing
let guarded: Guarded
let operator: Operator
before(async () => {
  passing = await startPassing()
  guarded = passing.guarded
  operator = new Operator(guarded)
  guarded.addAlias('narrow', { 'of-one-place': { provider: { maxConcurrency: 1 } } })
  guarded.addAlias('patient', { failing: { providerModel: 'failing' } })
  guarded.addAlias('hedged', { one: { providerModel: 'mute' }, other: { providerModel: 'mute', priority: 1 } })
  guarded.upstream.on('mute', behaviours.stall('before-headers'))
  const policies: Record<string, object> = {
    patient: { retry: { ...DEFAULT_RETRY, initialBackoffMs: 8_000 } },
    hedged: { hedge: { afterMs: 20, maxExtraPercent: 100 } },
  }
  guarded.change(({ aliases }) => ({ aliases: aliases.map((alias) => ({ ...alias, ...policies[alias.name] })) }))
  operator.price()
  await guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

/** An alias of one provider that behaves so, with a cache. */
async function addCached(behaviour: Behaviour, cache: Partial<CachePolicy>): Promise<string> {
  const name = uniqueName('cached')
  guarded.upstream.on(name, behaviour)
  guarded.addAlias(name, { [name]: { providerModel: name } })
  guarded.change(({ aliases }) => ({
    aliases: aliases.map((alias) =>
      alias.name === name ? { ...alias, cache: { ...DEFAULT_CACHE, ...cache } } : alias,
    ),
  }))
  operator.price()
  await guarded.serve()
  return name
}

async function assertToldSo(begun: Begun): Promise<void> {
  const answer = await within(TOLD_MS, 'the answer', begun.answer)
  const { body } = await answer.rest()
  assertError({ status: answer.status, headers: answer.headers, text: body.toString() }, CANCELLED)
  assert.equal(answer.headers['x-should-retry'], 'false')
}

/** Asserts that a stream ends with the error, and returns what came before it. */
async function assertEndsSo(answer: OpenAnswer): Promise<string> {
  const { body, complete } = await within(TOLD_MS, 'the end of the stream', answer.rest())
  assert.ok(complete, 'the response itself is whole')
  const events = body.toString().trim().split('\n\n')
  assertErrorBody(events.pop()!.replace(/^data: /, ''), CANCELLED)
  assert.doesNotMatch(body.toString(), /\[DONE\]/)
  return events.join('\n\n')
}

/** Waits for the newest request to the provider to be let go. */
async function letGo(): Promise<void> {
  const { ended } = guarded.upstream.requests.at(-1)!
  assert.equal((await within(LET_GO_MS, "the upstream's end", ended)).finished, false)
}

describe('is cancelled', () => {
  test('while its body is being sent', async () => {
    const asked = guarded.upstream.requests.length
    const begun = operator.begin(null)
    begun.request.write('{"model":')
    const seen = await operator.seen(begun)
    assert.deepEqual([seen.model, seen.providerId, seen.outputTokens, seen.costUsd], ['', null, 0, null])
    const record = await operator.cancelled(begun)
    await assertToldSo(begun)
    begun.request.destroy()
    assert.deepEqual([record.attempts, record.usage.source], [[], 'NONE'])
    assert.equal(guarded.upstream.requests.length, asked)
  })

  test('while it waits for a place, which others then get', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const asked = guarded.upstream.requests.length
    guarded.upstream.next(behaviours.onceReleased(released, behaviours.answer()))
    const blocking = operator.begin({ model: 'narrow' })
    await guarded.upstream.seen(asked + 1)
    const begun = operator.begin({ model: 'narrow', stream: true })
    const { providerId, costUsd } = await operator.seen(begun, ({ model }) => model === 'narrow')
    assert.deepEqual([providerId, costUsd], [null, null])
    const record = await operator.cancelled(begun)
    await assertToldSo(begun)
    assert.deepEqual(record.attempts, [])
    release()
    assert.equal((await blocking.answer).status, 200)
    assert.equal((await guarded.chat({ model: 'narrow' })).status, 200)
  })

  test('while it waits for another attempt', async () => {
    const asked = guarded.upstream.requests.length
    guarded.upstream.next(behaviours.unavailable())
    const begun = operator.begin({ model: 'patient' })
    await within(
      10_000,
      'the first attempt',
      guarded.upstream.requests[asked]?.ended ?? (await guarded.upstream.seen(asked + 1)).ended,
    )
    const record = await operator.cancelled(begun)
    await assertToldSo(begun)
    assert.deepEqual(
      record.attempts.map(({ errorClass }) => errorClass),
      ['upstream_5xx'],
    )
    assert.equal(guarded.upstream.requests.length, asked + 1)
  })

  test('while two providers are asked: neither has lost to the other', async () => {
    const asked = guarded.upstream.requests.length
    const begun = operator.begin({ model: 'hedged', ...STREAM })
    await guarded.upstream.seen(asked + 2)
    const record = await operator.cancelled(begun)
    await assertToldSo(begun)
    for (const { ended } of guarded.upstream.requests.slice(asked))
      assert.equal((await within(LET_GO_MS, "an upstream's end", ended)).finished, false)
    assert.deepEqual(
      record.attempts.map(({ hedged, errorClass }) => [hedged, errorClass]),
      [
        [false, 'admin_cancelled'],
        [true, 'admin_cancelled'],
      ],
    )
  })

  for (const [point, stream] of [
    ['before-headers', false],
    ['before-headers', true],
    ['before-first-token', true],
    ['mid-body', false],
  ] as const) {
    test(`${point}, ${stream ? 'a stream' : 'unstreamed'}`, async () => {
      const asked = guarded.upstream.requests.length
      guarded.upstream.next(behaviours.stall(point))
      const begun = operator.begin({ stream })
      await guarded.upstream.seen(asked + 1)
      const seen = await operator.seen(begun, ({ providerId }) => providerId !== null)
      assert.deepEqual([seen.timeToFirstTokenMs, seen.outputTokens, seen.stream], [null, 0, stream])
      assert.ok(Number(seen.costUsd) > 0, 'its input costs something')
      const record = await operator.cancelled(begun)
      await letGo()
      await assertToldSo(begun)
      assert.deepEqual(
        record.attempts.map(({ errorClass }) => errorClass),
        ['admin_cancelled'],
      )
      assert.equal(record.usage.source, 'ESTIMATED')
      assert.equal(record.costUsd, seen.costUsd)
    })
  }

  for (const sync of [false, true]) {
    test(`in mid-stream${sync ? ', where its end waits for its record' : ''}: with what was used so far`, async () => {
      guarded.upstream.next(behaviours.stall('mid-body'))
      const begun = operator.begin(STREAM, {
        'x-millrace-user': 'somebody',
        ...(sync ? { 'x-millrace-sync': 'true' } : {}),
      })
      const answer = await begun.answer
      await answer.until(WORDS[1]!)
      const seen = await operator.seen(begun)
      const { requestId, projectId, endpoint, model, providerModel, stream, userKey, outputTokens } = seen
      assert.deepEqual(
        [seen.id, requestId, projectId, endpoint, model],
        [answer.headers['x-millrace-id'], begun.requestId, guarded.projectId, '/v1/chat/completions', guarded.alias],
      )
      assert.deepEqual([providerModel, stream, userKey, outputTokens], ['upstream-model', true, 'somebody', 2])
      assert.ok(seen.timeToFirstTokenMs! > 0)
      const record = await operator.cancelled(begun)
      await letGo()
      assert.equal(await assertEndsSo(answer), '')
      assert.deepEqual([record.usage.source, record.usage.outputTokens, record.costUsd], ['ESTIMATED', 2, seen.costUsd])
      assert.ok(Number(seen.costUsd) > 0.00002)
      assert.deepEqual(
        [record.tokenId, record.aliasId, record.providerId, record.proxyId, record.startedAt],
        [seen.tokenId, seen.aliasId, seen.providerId, seen.proxyId, seen.startedAt],
      )
    })
  }

  for (const shared of [false, true])
    test(`though its client reads nothing: it is cut off, and the provider let go${shared ? ', of what can be shared' : ''}`, async () => {
      const model = shared ? await addCached(behaviours.endless(), { coalesce: true }) : guarded.alias
      if (!shared) guarded.upstream.next(behaviours.endless())
      const begun = operator.begin({ model, ...STREAM })
      const answer = await begun.answer
      answer.stream.pause()
      const upstream = guarded.upstream.requests.at(-1)!
      await waitFor(
        async () => {
          const bytes = upstream.bytesSent
          await sleep(500)
          return bytes > 0 && upstream.bytesSent === bytes
        },
        { what: 'the way to be full', timeoutMs: 30_000 },
      )
      const record = await within(10_000, 'the record', operator.cancelled(begun))
      await letGo()
      assert.ok(record.usage.outputTokens > 50, JSON.stringify(record.usage))
      assert.equal((await answer.rest()).complete, false)
    })

  test('while a path is passed on: its client is cut off', async () => {
    passing.page('/v1/images/slow', behaviours.stall('mid-body'))
    const requestId = uniqueName('passed')
    const headers = { 'x-request-id': requestId, 'x-millrace-provider': 'own-provider' }
    const answer = await passing.open('/v1/images/slow', { headers })
    const seen = await operator.seen({ requestId })
    assert.deepEqual(
      [seen.endpoint, seen.model, seen.stream, seen.outputTokens, seen.costUsd],
      ['/v1/images/slow', '', false, 0, null],
    )
    assert.notEqual(seen.providerId, null)
    await operator.cancelled({ requestId })
    await letGo()
    assert.equal((await answer.rest()).complete, false)
  })
})

describe('of requests that share an answer', () => {
  test('only the one goes that is cancelled, and the next pays', async () => {
    const spoken = new Spoken()
    const model = await addCached(spoken.behaviour, { coalesce: true })
    spoken.say('one', 'two')
    const asked = guarded.upstream.requests.length
    const begun: Begun[] = []
    const answers: OpenAnswer[] = []
    for (let i = 0; i < 3; i++) {
      begun.push(operator.begin({ model, ...STREAM }))
      answers.push(await begun[i]!.answer)
      await answers[i]!.until('two')
    }
    const [paying, coalesced, last] = begun as [Begun, Begun, Begun]
    const costs = await Promise.all(begun.map(async (one) => operator.seen(one)))
    assert.deepEqual(
      costs.map(({ outputTokens, costUsd }) => [outputTokens, Number(costUsd) > 0]),
      [
        [2, true],
        [2, false],
        [2, false],
      ],
    )
    assert.equal(costs[1]!.costUsd, '0')
    const free = await operator.cancelled(coalesced)
    assert.deepEqual([free.cache, free.costUsd, free.attempts], ['COALESCED', '0', []])
    await assertEndsSo(answers[1]!)
    await operator.cancelled(paying)
    await assertEndsSo(answers[0]!)
    assert.equal(guarded.upstream.requests.length, asked + 1)
    assert.ok(Number((await operator.seen(last)).costUsd) > 0, 'it pays now')
    spoken.say('three')
    await within(10_000, 'the third word', answers[2]!.until('three'))
    const paid = await operator.cancelled(last)
    await letGo()
    assert.deepEqual([paid.usage.source, paid.usage.outputTokens], ['ESTIMATED', 3])
    assert.deepEqual(
      paid.attempts.map(({ errorClass }) => errorClass),
      ['admin_cancelled'],
    )
    assert.ok(Number(paid.costUsd) > 0)
  })

  test('one that waits for its beginning is told so', async () => {
    const spoken = new Spoken()
    const model = await addCached(spoken.behaviour, { coalesce: true })
    const first = operator.begin({ model, ...STREAM })
    await operator.seen(first, ({ providerId }) => providerId !== null)
    const second = operator.begin({ model, ...STREAM })
    await operator.seen(second, ({ providerId }) => providerId !== null)
    await operator.cancelled(second)
    await assertToldSo(second)
    spoken.say('one')
    await (await first.answer).until('one')
    await operator.cancelled(first)
  })
})

describe('a stored answer', () => {
  test('is cancelled while it is played, in the pauses that it had', async () => {
    const spoken = new Spoken()
    const model = await addCached(spoken.behaviour, { enabled: true, replayPace: 'RECORDED' })
    const first = operator.begin({ model, ...STREAM })
    spoken.say('one')
    const answer = await first.answer
    await answer.until('one')
    await sleep(5_000)
    spoken.say('two')
    spoken.end()
    await answer.rest()
    const begun = operator.begin({ model, ...STREAM })
    const played = await begun.answer
    assert.equal(played.headers['x-cache'], 'HIT')
    await played.until('one')
    const seen = await operator.seen(begun)
    assert.deepEqual([seen.costUsd, seen.outputTokens > 0, seen.timeToFirstTokenMs! >= 0], ['0', true, true])
    const record = await operator.cancelled(begun)
    await assertEndsSo(played)
    assert.deepEqual([record.cache, record.costUsd], ['HIT', '0'])
  })
})

describe('is left alone', () => {
  test('when it is of another project, or nobody knows it', async () => {
    const other = guarded.addTokenOfOwnProject()
    await guarded.serve()
    guarded.upstream.next(behaviours.stall('mid-body'))
    const begun = operator.begin(STREAM, bearer(other))
    await (await begun.answer).until(WORDS[1]!)
    const { id, projectId } = await operator.seen(begun)
    const ids = async (projects: string[], request: string | null = null): Promise<string[]> =>
      (await operator.list({ projects, request })).map((one) => one.id)
    assert.deepEqual(await ids([projectId!]), [id])
    assert.deepEqual(await ids([projectId!], id), [id])
    assert.deepEqual(await ids([guarded.projectId], id), [])
    assert.deepEqual(await ids([]), [])
    assert.equal(await operator.cancel(newId()), false)
    await operator.cancelled(begun)
    assert.equal(await operator.cancel(id), false)
  })

  test('when its answer waits for its record', async () => {
    guarded.control.ingest = 'unanswered'
    try {
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      guarded.upstream.next(behaviours.onceReleased(released, behaviours.answer()))
      const begun = operator.begin({}, { 'x-millrace-sync': 'true' })
      const { id } = await operator.seen(begun)
      let isAnswered = false
      const answered = begun.answer.finally(() => (isAnswered = true))
      release()
      await waitFor(async () => (await operator.list()).every((one) => one.id !== id))
      assert.equal(await operator.cancel(id), false)
      assert.ok(!isAnswered, 'it waits for five seconds')
      const answer = await answered
      assert.equal(answer.status, 200)
      assert.ok((await answer.rest()).complete)
    } finally {
      guarded.control.ingest = 'stored'
    }
  })
})
