/** Requests that are the same and under way at once: one upstream call, and each of them served as if it were its own. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'

import type { Answer, OpenAnswer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours, USAGE } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import {
  addCached,
  assertCost,
  COST_USD,
  costOf,
  joining,
  numbered,
  outcomeOf,
  outcomes,
  recordsOf,
  type Cached,
  type CachedOptions,
} from './cache/caching.ts'
import { Spoken } from './cache/spoken.ts'

const scene = useScene()
const MB = 1_024 * 1_024
const STREAM = { stream: true }

const addCoalescing = ({ cache, ...options }: CachedOptions = {}): Promise<Cached> =>
  addCached(scene, { cache: { enabled: false, coalesce: true, ...cache }, ...options })

/** Opens a stream, and reads until a word has come. */
async function openUntil(
  cached: Cached,
  word: string,
  more: object = STREAM,
): Promise<OpenAnswer & { before: string }> {
  const answer = await cached.open(more)
  return Object.assign(answer, { before: await within(20_000, word, answer.until(word)) })
}

/** All of an answer's text. */
async function whole(answer: OpenAnswer & { before: string }): Promise<string> {
  const { body, complete } = await within(20_000, 'the rest', answer.rest())
  assert.ok(complete)
  return answer.before + body.toString()
}

describe('a thousand requests at once that are the same', () => {
  for (const [stream, enabled] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const name = `${stream ? 'streamed' : 'unstreamed'}, ${enabled ? 'stored' : 'not stored'}`
    test(`are one upstream call: ${name}`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const behaviour = behaviours.onceReleased(promise, numbered())
      const cached = await addCoalescing({ behaviour, cache: { enabled } })
      const asked = await joining(scene.gateway.proxy, 999, () =>
        Array.from({ length: 1_000 }, () => cached.ask({ stream })),
      )
      resolve()
      const answers = await Promise.all(asked)
      assert.equal(cached.calls, 1)
      const [{ text }] = answers as [Answer]
      for (const answer of answers) assert.deepEqual([answer.status, answer.text], [200, text])
      if (stream) assert.match(text, /\[DONE\]\n\n$/)
      assert.deepEqual(outcomes(answers.filter((answer) => outcomeOf(answer) !== 'COALESCED')), {
        [outcomeOf(answers.find((answer) => outcomeOf(answer) !== 'COALESCED')!)]: 1,
      })
      assert.equal(new Set(answers.map(({ headers }) => headers['x-millrace-id'])).size, 1_000)
      const coalesced = answers.find((answer) => outcomeOf(answer) === 'COALESCED')!
      assert.match(String(coalesced.headers['cache-status']), /\bcollapsed\b/)

      const records = await recordsOf(scene.gateway, cached.model, 1_000)
      const [paid, ...others] = records.sort((a, b) => b.attempts.length - a.attempts.length)
      assert.deepEqual([paid!.attempts.length, paid!.usage.billed, paid!.cache === 'COALESCED'], [1, true, false])
      if (enabled) assert.equal(paid!.cache, 'MISS')
      const used = { source: 'PROVIDER', outputTokens: USAGE.completion_tokens, billed: false }
      for (const { cache, attempts, costUsd, usage, status } of others)
        assert.deepEqual([status, cache, attempts, Number(costUsd), usage], ['SUCCESS', 'COALESCED', [], 0, used])
      assertCost(costOf(records), COST_USD)
      // And it is over: the next one is another's, or has what was stored.
      assert.equal(outcomeOf(await cached.ask({ stream })) === 'HIT', enabled)
      assert.equal(cached.calls, enabled ? 1 : 2)
    })
  }
})

describe('a stream that is shared', () => {
  test('gives who comes late what has passed, and the rest as it comes', async () => {
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour, cache: { enabled: true } })
    spoken.say('one', 'two')
    const first = await openUntil(cached, 'two')
    const second = await openUntil(cached, 'two')
    assert.deepEqual([outcomeOf(first), outcomeOf(second)], ['MISS', 'COALESCED'])
    assert.equal(second.before, first.before)
    spoken.say('three')
    for (const answer of [first, second]) answer.before += await within(20_000, 'the third', answer.until('three'))
    const third = await openUntil(cached, 'three')
    spoken.say('four')
    spoken.end()
    const texts = await Promise.all([first, second, third].map(whole))
    assert.match(texts[0]!, /one.*two.*three.*four.*\[DONE\]\n\n$/s)
    assert.deepEqual(texts, [texts[0], texts[0], texts[0]])
    assert.equal(cached.calls, 1)
    assert.equal((await cached.outcome('HIT', STREAM)).text, texts[0])
  })

  test('tells usage to those alone who ask for it', async () => {
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour })
    spoken.say('one')
    const asking = { ...STREAM, stream_options: { include_usage: true } }
    const [first, second, third] = [
      await openUntil(cached, 'one'),
      await openUntil(cached, 'one', asking),
      await openUntil(cached, 'one'),
    ]
    spoken.end()
    const [plain, told, again] = await Promise.all([first, second, third].map(whole))
    assert.equal(again, plain)
    assert.doesNotMatch(plain!, /"prompt_tokens"/)
    assert.match(told!, /"choices":\[\],"usage":\{"prompt_tokens"/)
    assert.equal(cached.calls, 1)
  })

  test('goes on for the others though one does not read: of 3 MB', async () => {
    const words = Array.from({ length: 48 }, (_, i) => String(i % 10).repeat(65_536))
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour })
    spoken.say('one')
    const [fast, slow, fastToo] = [
      await openUntil(cached, 'one'),
      await openUntil(cached, 'one'),
      await openUntil(cached, 'one'),
    ]
    slow.stream.pause()
    spoken.say(...words)
    spoken.end()
    const [text, other] = await Promise.all([whole(fast), whole(fastToo)])
    assert.ok(text.length > 3 * MB)
    assert.equal(other, text)
    assert.equal(await whole(slow), text)
    assert.equal(cached.calls, 1)
  })

  test('goes on word by word for the others though one takes nothing at all', async () => {
    const large = behaviours.answer({ words: Array.from({ length: 60 }, () => 'x'.repeat(65_536)) })
    const stored = await addCached(scene, { behaviour: large })
    await stored.ask(STREAM)
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour })
    spoken.say('one')
    const fast = await openUntil(cached, 'one')
    // Its kernel takes the first of these answers, and some of the second. The third is the one that is shared.
    using stack = new DisposableStack()
    const slow = stack.adopt(connect(scene.gateway.proxy.port, '127.0.0.1').pause(), (one) => one.destroy())
    await joining(scene.gateway.proxy, 1, () => slow.write(stored.wire(STREAM).repeat(2) + cached.wire(STREAM)))
    spoken.say('x'.repeat(65_536), 'y'.repeat(65_536), 'burst')
    fast.before += await within(20_000, 'the burst', fast.until('burst'))
    for (const word of ['two', 'three', 'four', 'five', 'six']) {
      spoken.say(word)
      fast.before += await within(5_000, word, fast.until(word))
    }
    spoken.end()
    await whole(fast)
    let text = ''
    slow
      .setEncoding('latin1')
      .on('data', (data: string) => (text += data))
      .resume()
    await waitFor(() => text.split('[DONE]').length === 4, { what: 'all three', timeoutMs: 20_000 })
    assert.match(text, /"six"/)
    assert.equal(cached.calls, 1)
  })

  test('goes on for the others though its first caller does not read', async () => {
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour })
    spoken.say('one')
    const [slow, fast] = [await openUntil(cached, 'one'), await openUntil(cached, 'one')]
    slow.stream.pause()
    spoken.say(...Array.from({ length: 48 }, () => 'x'.repeat(65_536)))
    spoken.end()
    const text = await whole(fast)
    assert.equal(await whole(slow), text)
  })

  test('of 40 MB reaches each caller whole, or is seen to be cut', async () => {
    const words = Array.from({ length: 640 }, (_, i) => String(i % 10).repeat(65_536))
    const spoken = new Spoken()
    const cached = await addCoalescing({ behaviour: spoken.behaviour })
    spoken.say('one')
    const [fast, slow] = [await openUntil(cached, 'one'), await openUntil(cached, 'one')]
    slow.stream.pause()
    spoken.say(...words)
    spoken.end()
    const text = await whole(fast)
    assert.ok(text.length > 40 * MB && text.endsWith('data: [DONE]\n\n'))
    const { body, complete } = await within(60_000, 'the rest of the slow one', slow.rest())
    const slowText = slow.before + body.toString()
    if (complete && slowText.endsWith('data: [DONE]\n\n')) assert.ok(slowText === text, 'the same text')
    else assert.ok(!complete || /"error":\{/.test(slowText.slice(-1_000)), slowText.slice(-1_000))
    // Who comes when more has passed than is kept for those who come has it from the beginning all the same.
    const late = await cached.ask(STREAM)
    assert.ok(late.text === text, 'the same text')
  })
})
