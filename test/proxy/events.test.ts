/** What the standard of server-sent events allows and hardly anybody sends (WHATWG HTML, section 9.2). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assertErrorBody } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { frame } from '../helpers/upstream/answers.ts'
import { behaviours, completionEvents } from '../helpers/upstream/behaviours.ts'

const scene = useScene()
const SSE = { headers: { 'content-type': 'text/event-stream' } }
const BOM = '\uFEFF'
const EVENTS = completionEvents('upstream-model', true)
/** As a client gets them that has asked for usage. */
const asked = { stream: true, stream_options: { include_usage: true } }
const renamed = (text: string): string => text.replaceAll('"model":"upstream-model"', '"model":"scene-alias"')

/** These very bytes as a stream, in packets of so many. */
function stream(text: string, split = 1_024): Behaviour {
  return async (exchange) => {
    exchange.head(200, { 'content-type': 'text/event-stream' })
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += split) {
      await exchange.writeWhole(bytes.subarray(at, at + split))
      await new Promise((resolve) => setImmediate(resolve))
    }
    exchange.end()
  }
}

async function relayed(text: string, split?: number): Promise<string> {
  scene.upstream.next(stream(text, split))
  const answer = await scene.chat(scene.body(scene.alias, asked))
  assert.equal(answer.status, 200, answer.text)
  assert.ok(answer.complete)
  return answer.text
}

describe('a stream that', () => {
  for (const split of [1, 2, 1_024]) {
    test(`begins with a byte order mark, in packets of ${split}: its first event is one too`, async () => {
      const whole = frame(EVENTS).join('')
      const text = await relayed(BOM + whole, split)
      assert.equal(text.replace(BOM, ''), renamed(whole))
    })
  }

  test('repeats an event in a comment: the comment stays as it was', async () => {
    const [first, second, ...rest] = EVENTS as [string, string, ...string[]]
    const commented = `: ${first}\ndata: ${first}\n\n: ${second}\ndata: ${second}\n\n`
    const text = await relayed(commented + frame(rest).join(''))
    assert.equal(
      text,
      `: ${first}\ndata: ${renamed(first)}\n\n: ${second}\ndata: ${renamed(second)}\n\n${renamed(frame(rest).join(''))}`,
    )
  })

  for (const at of [0, 2]) {
    test(`has data on several lines, in event ${at}: its other lines stay`, async () => {
      const events = frame(EVENTS)
      const lines = `data: ${EVENTS[at]!.replace('"model":', '\ndata: "model":\ndata: ')}`
      events[at] = `id: 7\nevent: message\n: a comment\n${lines}\nretry: 1000\n\n`
      const text = await relayed(events.join(''))
      const got = text.split(/(?<=\n\n)/)
      assert.equal(got.length, events.length, text)
      assert.deepEqual(got.toSpliced(at, 1), events.toSpliced(at, 1).map(renamed))
      const all = got[at]!.trimEnd().split('\n')
      const [data, others] = [
        all.filter((line) => line.startsWith('data:')),
        all.filter((line) => !line.startsWith('data:')),
      ]
      assert.deepEqual(others, ['id: 7', 'event: message', ': a comment', 'retry: 1000'])
      const joined = data.map((line) => line.replace(/^data: ?/, '')).join('\n')
      assert.deepEqual(JSON.parse(joined), JSON.parse(renamed(EVENTS[at]!)))
    })
  }

  test('has an event of 20,000 lines: it passes byte for byte', async () => {
    const long = `${'data: x\n'.repeat(20_000)}\n`
    const whole = long + frame(EVENTS).join('')
    const text = await relayed(whole)
    assert.ok(text === renamed(whole), `${text.length} bytes came of ${renamed(whole).length}, or others`)
  })

  test('has an event of 20,000 lines in its middle: it passes byte for byte', async () => {
    const events = frame(EVENTS)
    const whole = [...events.slice(0, 3), `${'data: x\n'.repeat(20_000)}\n`, ...events.slice(3)].join('')
    const text = await relayed(whole)
    assert.ok(text === renamed(whole), `${text.length} bytes came of ${renamed(whole).length}, or others`)
  })
})

describe('an event that is named an error', () => {
  const chunk = EVENTS[4]!
  const cases: [string, string][] = [
    ['before its data', `event: error\ndata: ${chunk}\n\n`],
    ['after its data', `data: ${chunk}\nevent: error\n\n`],
    ['after its data, without a space', `data: ${chunk}\nevent:error\n\n`],
    ['after its data, in CRLF', `data: ${chunk}\r\nevent: error\r\n\r\n`],
    ['after data that is no JSON', 'data: out of memory\nevent: error\n\n'],
  ]
  for (const [name, event] of cases) {
    test(`${name}: the stream has failed`, async () => {
      const events = frame(EVENTS)
      scene.upstream.next(behaviours.raw([...events.slice(0, 3), event, ...events.slice(3)].join(''), SSE))
      const id = uniqueName('named')
      const answer = await scene.chat(scene.body(scene.alias, asked), { 'x-request-id': id })
      assert.doesNotMatch(answer.text, /\[DONE\]/)
      const got = answer.text.split('\n\n').filter(Boolean)
      assert.deepEqual(
        got.slice(0, 3),
        events.slice(0, 3).map((one) => renamed(one).trimEnd()),
      )
      assert.equal(got.length, 4, answer.text)
      assertErrorBody(got[3]!.replace(/^data: /, ''), { type: 'upstream_error', code: 'stream_error' })
      const record = await scene.gateway.record(id)
      assert.deepEqual([record.status, record.errorClass], ['ERROR', 'stream_error'])
    })
  }
})
