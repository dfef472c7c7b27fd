/** What an answer that goes by a flight looks like where providers answer in a way that is rare, and what is kept of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { useScene } from '../helpers/scene.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { writeFramed } from '../helpers/upstream/answers.ts'
import { behaviours, completionEvents, USAGE } from '../helpers/upstream/behaviours.ts'
import { errorBody } from '../helpers/upstream/completion.ts'
import { addCached, joining, numbered, recordOf, type Cached, type CachedOptions } from './cache/caching.ts'

const scene = useScene({ proxyEnv: { MILLRACE_MAX_BODY_BYTES: '20000' } })
const STREAM = { stream: true }
const ASKS_USAGE = { stream: true, stream_options: { include_usage: true } }
const STORED = { enabled: true, coalesce: true, storeToolCalls: true }

const add = ({ cache, ...options }: CachedOptions = {}): Promise<Cached> =>
  addCached(scene, { cache: { ...STORED, ...cache }, ...options })

/** A stream of these events in which usage, if it is asked for, comes before anything else. */
function usageFirst(...data: readonly ((model: string) => string)[]): Behaviour {
  return (exchange) => {
    const model = exchange.seen.model!
    const told = exchange.wantsUsage ? [completionEvents(model, true, []).at(-1)!] : []
    return behaviours.events([...told, ...data.map((one) => one(model))])(exchange)
  }
}

const role = (model: string): string => completionEvents(model, false, [])[0]!
const word = (model: string): string => completionEvents(model, false, ['word'])[1]!
const stop = (model: string): string => completionEvents(model, false, [])[1]!

describe('a stream that tells usage before content', { concurrency: true }, () => {
  for (const [name, behaviour] of [
    ['content', usageFirst(role, word, stop)],
    ['no content', usageFirst(role)],
  ] as const) {
    for (const first of [STREAM, ASKS_USAGE]) {
      test(`tells it to who has asked for it: ${name}, ${JSON.stringify(first)} first`, async () => {
        const cached = await add({ behaviour })
        const answers = [
          await cached.outcome('MISS', first),
          await cached.outcome('HIT', STREAM),
          await cached.outcome('HIT', ASKS_USAGE),
        ]
        const telling = answers.map(({ text }) => text.includes('"usage":{'))
        assert.deepEqual(telling, [first === ASKS_USAGE, false, true])
        for (const { text } of answers) assert.match(text, /"role":"assistant".*\[DONE\]\n\n$/s)
        const { usage } = await recordOf(scene.gateway, answers[1]!)
        assert.deepEqual([usage.source, usage.outputTokens], ['PROVIDER', USAGE.completion_tokens])
      })
    }
  }
})

test('an answer that nobody has waited for is not stored as an empty one', async () => {
  const ended = Promise.withResolvers<void>()
  const cached = await add({
    behaviour: async (exchange) => {
      exchange.head(200, { 'content-type': 'text/event-stream' })
      await writeFramed(exchange, [role(exchange.seen.model!)], {})
      ended.resolve()
      await exchange.untilOver()
    },
  })
  const begun = cached.begin(STREAM)
  await ended.promise
  await sleep(300)
  begun.request.destroy()
  await cached.seen[0]!.ended
  cached.behaves(numbered())
  assert.match((await cached.ask()).text, /"choices"/)
})

describe('what is too large to be read', { concurrency: true }, () => {
  test('is no answer that can be given again', async () => {
    const cached = await add({ behaviour: behaviours.raw(errorBody('x'.repeat(30_000), 'server_error')) })
    assert.equal((await cached.ask()).text.length > 30_000, true)
    await cached.outcome('MISS')
    assert.equal(cached.calls, 2)
  })

  test('is shared by those who ask for it at once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const body = JSON.stringify({ model: 'theirs', choices: [], padding: 'x'.repeat(50_000) })
    const cached = await add({ behaviour: behaviours.onceReleased(promise, behaviours.raw(body)) })
    const asked = await joining(scene.gateway.proxy, 2, () => [cached.ask(), cached.ask(), cached.ask()])
    resolve()
    for (const { text, complete } of await Promise.all(asked)) {
      assert.ok(complete)
      assert.equal(text, body.replace('theirs', cached.model))
    }
    assert.equal(cached.calls, 1)
  })
})

test('headers are there once, whatever form is made of an answer', async () => {
  const headers = { 'cache-control': 'private, max-age=9', 'x-accel-buffering': 'yes', age: '5', etag: '"theirs"' }
  const cached = await add({ behaviour: behaviours.answer({ headers }) })
  await cached.outcome('MISS')
  const hit = await cached.outcome('HIT', STREAM)
  const names = hit.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  assert.deepEqual(names, [...new Set(names)])
  assert.deepEqual([hit.headers['cache-control'], hit.headers['x-accel-buffering']], ['no-cache', 'no'])
})
