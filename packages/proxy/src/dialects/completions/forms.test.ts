import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { foldCompletionStream } from './fold.ts'
import { unfoldCompletion } from './unfold.ts'

const BASE = { id: 'c', object: 'text_completion', created: 1, model: 'm' }
const answer = (choices: unknown, more: object = {}): string => JSON.stringify({ ...BASE, choices, ...more })
const choice = (text: string, index = 0): object => ({ text, index, logprobs: null, finish_reason: 'stop' })
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

describe('the two forms of a completion', () => {
  it('say the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (texts, used) => {
          const whole = latin1(
            answer(texts.map(choice), used ? { usage: { prompt_tokens: 1, completion_tokens: 2 } } : {}),
          )
          const { events, ends, usagePart } = unfoldCompletion(whole)!
          assert.equal(ends.at(-1), events.length)
          assert.equal(usagePart, used ? 1 : -1)
          assert.deepEqual(JSON.parse(foldCompletionStream(events)!), JSON.parse(whole))
        },
      ),
    )
  })

  it('are made one of chunks as OpenAI sends them', () => {
    const chunk = (choices: object[], usage: object | null): string => `data: ${answer(choices, { usage })}\n\n`
    const piece = (text: string, reason: string | null, tokens: string[]): object => ({
      text,
      index: 0,
      logprobs: { tokens, token_logprobs: [-0.1] },
      finish_reason: reason,
    })
    const events = `${chunk([piece('a', null, ['a'])], null)}${chunk([piece('b', 'length', ['b'])], null)}${chunk([], { prompt_tokens: 1 })}data: [DONE]\n\n`
    assert.deepEqual(JSON.parse(foldCompletionStream(events)!), {
      ...BASE,
      choices: [
        {
          text: 'ab',
          index: 0,
          logprobs: { tokens: ['a', 'b'], token_logprobs: [-0.1, -0.1] },
          finish_reason: 'length',
        },
      ],
      usage: { prompt_tokens: 1 },
    })
  })

  for (const [name, events] of [
    ['a stream without an end', `data: ${answer([choice('a')])}\n\n`],
    ['a choice without an end', `data: ${answer([{ text: 'a', index: 0, finish_reason: null }])}\n\ndata: [DONE]\n\n`],
    ['an error', `data: {"error":{"message":"no"}}\n\ndata: [DONE]\n\n`],
    ['a chat completion', `data: ${answer([choice('a')], { object: 'chat.completion.chunk' })}\n\ndata: [DONE]\n\n`],
    ['nothing', ''],
  ] as const) {
    it(`are not made of ${name}`, () => assert.equal(foldCompletionStream(events), null))
  }

  for (const [name, text] of [
    ['a chat completion', answer([choice('a')], { object: 'chat.completion' })],
    ['no choices', answer([])],
    ['an error', answer([choice('a')], { error: { message: 'no' } })],
    ['a choice without a text', answer([{ index: 0, finish_reason: 'stop' }])],
    ['two choices of one index', answer([choice('a'), choice('b')])],
    ['half of one', answer([choice('a')]).slice(0, -1)],
  ] as const) {
    it(`are not told of ${name}`, () => assert.equal(unfoldCompletion(text), null))
  }
})
