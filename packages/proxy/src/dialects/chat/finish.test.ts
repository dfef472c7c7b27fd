import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { ChatAnswer } from '../../canonical/answer.ts'
import { chatWire } from './wire.ts'

const ENCODING = { dropped: [], answerTool: null, memo: null }

describe('which text has ended an answer', () => {
  for (const [name, more, expected] of [
    ['vLLM', { stop_reason: 'END' }, 'END'],
    ['SGLang', { matched_stop: 'END' }, 'END'],
    ['SGLang of a token', { matched_stop: 128_009 }, null],
    ['nobody', { stop_reason: null, matched_stop: null }, null],
  ] as const) {
    it(`is read as ${name} tells it, whole and streamed`, () => {
      const end = { index: 0, finish_reason: 'stop', ...more }
      const whole = chatWire().read({ choices: [{ ...end, message: { content: 'a' } }] }, ENCODING) as ChatAnswer
      assert.equal(whole.choices[0]!.finish.stopSequence, expected)
      const reader = chatWire().reader(ENCODING)
      const chunk = { id: 'c', choices: [{ ...end, delta: { content: 'a' } }] }
      const parts = [...reader.take(JSON.stringify(chunk), ''), ...reader.take('[DONE]', '')]
      const finish = parts.find(({ type }) => type === 'finish')
      assert.ok(finish?.type === 'finish')
      assert.deepEqual(finish.finish, whole.choices[0]!.finish)
    })
  }
})
