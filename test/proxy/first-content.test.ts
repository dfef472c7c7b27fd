/** Until when a stream that fails can still go on to another route: up to its first content, whatever that is. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assertErrorBody } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours, errorBody, WORDS } from '../helpers/upstream/behaviours.ts'

const scene = useScene()
const ERROR = errorBody('the model fell over', 'server_error')

const chunk = (choice: object): string =>
  JSON.stringify({
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, ...choice }],
  })
const delta = (value: object): string => chunk({ delta: value, finish_reason: null })
const ROLE = delta({ role: 'assistant', content: '' })

/** These events, and then an error. */
const failing = (...events: readonly string[]): Behaviour => behaviours.events([...events, ERROR], { done: null })

async function ask(behaviour: Behaviour) {
  const routed = await scene.routed({ first: { behaviour }, other: { priority: 1 } })
  const id = uniqueName('content')
  const answer = await scene.chat(scene.body(routed.model, { stream: true }), { 'x-request-id': id })
  return { routed, answer, id }
}

describe(
  'no content yet: the other route answers, and the client sees nothing of the first',
  { concurrency: true },
  () => {
    const cases: [string, Behaviour][] = [
      ['comments', behaviours.events([ROLE, ERROR], { done: null, before: ': OPENROUTER PROCESSING' })],
      ['a role', failing(ROLE)],
      ['empty text', failing(ROLE, delta({ content: '' }), delta({ content: null, reasoning: '' }))],
      ['no choice', failing(JSON.stringify({ model: 'm', choices: [], prompt_filter_results: [{ a: 1 }] }))],
      ['an empty list of tool calls', failing(ROLE, delta({ content: null, tool_calls: [] }))],
      ['an event that is named an error', behaviours.events([delta({})], { done: null, before: 'event: error' })],
      ['an error without an object', behaviours.events([JSON.stringify({ error: 'overloaded' })], { done: null })],
      ['only [DONE]-less silence', behaviours.events([ROLE], { done: null })],
    ]
    for (const [name, behaviour] of cases) {
      test(name, async () => {
        const { routed, answer } = await ask(behaviour)
        assert.equal(routed.by(answer), 'other')
        assert.deepEqual([routed.calls('first'), routed.calls('other')], [1, 1])
        assert.equal(answer.text.match(/"role":"assistant"/g)?.length, 1)
        assert.doesNotMatch(answer.text, /error|OPENROUTER|overloaded/)
        for (const word of WORDS) assert.ok(answer.text.includes(JSON.stringify(word)))
      })
    }
  },
)

describe('content, of any kind: the client is told that it broke off', { concurrency: true }, () => {
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }
  const cases: [string, string][] = [
    ['text', delta({ content: 'Hello' })],
    ['a space', delta({ content: ' ' })],
    ['a tool call', delta({ tool_calls: [call] })],
    ['a refusal', delta({ refusal: 'I cannot' })],
    ['reasoning', delta({ reasoning_content: 'Let me' })],
    ['reasoning, by its other name', delta({ reasoning: 'Let me' })],
  ]
  for (const [name, event] of cases) {
    test(name, async () => {
      const { routed, answer, id } = await ask(failing(ROLE, event))
      assert.equal(answer.status, 200)
      assert.equal(routed.calls('other'), 0)
      const events = answer.text.split('\n\n').filter(Boolean)
      assert.equal(events.length, 3, answer.text)
      assertErrorBody(events[2]!.replace(/^data: /, ''), { type: 'upstream_error', code: 'stream_error' })
      const { status, errorClass, attempts } = await scene.gateway.record(id)
      assert.deepEqual([status, errorClass, attempts.length], ['ERROR', 'stream_error', 1])
    })
  }
})

describe('a stream that is whole', { concurrency: true }, () => {
  const cases: [string, readonly string[]][] = [
    ['without any text', [ROLE, chunk({ delta: {}, finish_reason: 'stop' })]],
    ['of a filter that let nothing through', [ROLE, chunk({ delta: {}, finish_reason: 'content_filter' })]],
  ]
  for (const [name, events] of cases) {
    test(`${name}: is an answer`, async () => {
      const { routed, answer, id } = await ask(behaviours.events(events))
      assert.equal(answer.status, 200)
      assert.equal(routed.calls('other'), 0)
      assert.match(answer.text, /data: \[DONE\]\n\n$/)
      assert.equal((await scene.gateway.record(id)).status, 'SUCCESS')
    })
  }
})
