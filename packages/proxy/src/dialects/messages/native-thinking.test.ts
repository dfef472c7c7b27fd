import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { splice } from '../../stream/json.ts'
import { withoutForeign } from './native-body.ts'
import { asksForBudget, breaksOffThought, thinkingOff } from './native-thinking.ts'

const SONNET = 'claude-sonnet-4-5'
const OWN = { type: 'thinking', thinking: 'a', signature: 'abc' }
const FOREIGN = { type: 'thinking', thinking: 'b', signature: 'mr1.gemini.abc' }
const REDACTED = { type: 'redacted_thinking', data: 'abc' }
const FOREIGN_REDACTED = { type: 'redacted_thinking', data: 'mr1.converse.abc' }
const CALL = { type: 'tool_use', id: 't', name: 'f', input: {} }
const TEXT = { type: 'text', text: 'x' }

const user = (...content: object[]) => ({ role: 'user', content })
const model = (...content: object[]) => ({ role: 'assistant', content })
const RESULT = user({ type: 'tool_result', tool_use_id: 't', content: 'x' })

describe('thinking by a budget', () => {
  test('is broken off where another provider thought first, and nowhere else', () => {
    const breaks = (...messages: object[]) => breaksOffThought(messages, withoutForeign(messages) ?? messages)
    assert.equal(breaks(user(TEXT), model(FOREIGN, CALL), RESULT), true)
    assert.equal(breaks(user(TEXT), model(FOREIGN, CALL), RESULT, model(CALL), RESULT), true)
    // Gemini signs calls: such a signature is a thought behind its call.
    assert.equal(breaks(user(TEXT), model(TEXT, CALL, FOREIGN), RESULT), true)
    assert.equal(breaks(user(TEXT), model(FOREIGN_REDACTED, CALL), RESULT), true)
    assert.equal(breaks(user(TEXT), model(FOREIGN, CALL), user(...RESULT.content, TEXT)), true)
    // The beginning of an answer, which is to be gone on with; if it was but a thought, nothing is left of it.
    assert.equal(breaks(user(TEXT), model(FOREIGN, TEXT)), true)
    assert.equal(breaks(user(TEXT), model(FOREIGN)), false)
    assert.equal(breaks(user(TEXT), model(FOREIGN, OWN, CALL), RESULT), false)
    assert.equal(breaks(user(TEXT), model(FOREIGN, REDACTED, CALL), RESULT), false)
    assert.equal(breaks(user(TEXT), model(OWN, CALL), RESULT, model(FOREIGN, CALL), RESULT), false)
    assert.equal(breaks(user(TEXT), model(FOREIGN, TEXT), user(TEXT)), false)
    const ended = [user(TEXT), model(FOREIGN, CALL), RESULT, { role: 'assistant', content: 'x' }]
    assert.equal(breaks(...ended, { role: 'user', content: 'y' }), false)
    // What the client itself left out is between it and Anthropic.
    assert.equal(breaks(user(TEXT), model(FOREIGN, TEXT), user(TEXT), model(CALL), RESULT), false)
    assert.equal(breaksOffThought('x', []), false)
  })

  test('is asked of models that take one', () => {
    const budget = '{"thinking":{"type":"enabled","budget_tokens":2000}}'
    assert.equal(asksForBudget(budget, SONNET), true)
    assert.equal(asksForBudget('{}', SONNET), false)
    // Of two, most parsers take the last.
    assert.equal(asksForBudget(`{"thinking":null,${budget.slice(1)}`, SONNET), true)
    assert.equal(asksForBudget(budget, 'other'), true)
    assert.equal(asksForBudget(budget, 'claude-opus-4-6'), true)
    for (const name of ['claude-3-5-sonnet-20241022', 'claude-opus-4-7', 'claude-sonnet-5']) {
      assert.equal(asksForBudget(budget, name), false, name)
    }
    for (const thinking of ['null', '"enabled"', '{"type":1.0}', '{"type":"disabled"}', '{"type":"adaptive"}']) {
      assert.equal(asksForBudget(`{"thinking":${thinking}}`, SONNET), false, thinking)
    }
  })

  test('is turned off with what is only taken beside it', () => {
    const off = (text: string) => splice(text, thinkingOff(text))
    const clears = '{"type":"clear_thinking_20251015","keep":"all"}'
    const others = '{"type":"clear_tool_uses_20250919","keep":{"value":1e1}}'
    const body = (thinking: string, context: string) =>
      `{"thinking": ${thinking},"temperature":1.0,"context_management": ${context}}`
    const budget = '{"type":"enabled","budget_tokens":2000}'
    const disabled = '{"type":"disabled"}'
    assert.equal(off(body(budget, `{"edits":[${clears}]}`)), body(disabled, 'null'))
    assert.equal(off(body(budget, `{"edits":[${clears},${others}]}`)), body(disabled, `{"edits":[${others}]}`))
    assert.equal(off(body(budget, `{"edits": [${others}]}`)), body(disabled, `{"edits": [${others}]}`))
    assert.equal(off(`{"thinking":${budget}}`), `{"thinking":${disabled}}`)
    // Whichever of two a parser takes, and however they are spelt.
    assert.equal(
      off(`{"thinking":${budget},"think\\u0069ng":1}`),
      `{"thinking":${disabled},"think\\u0069ng":${disabled}}`,
    )
    const odd = '{"edits":[null,"x",{"type":1.0},{"type":{"toString":1,"valueOf":1}}]}'
    for (const context of ['null', '1.0', '{"edits":1.0}', odd]) {
      assert.equal(off(body(budget, context)), body(disabled, context))
    }
    const latin1 = (text: string) => Buffer.from(text).toString('latin1')
    assert.equal(off(latin1(body(budget, `{"edits":[${clears},"ü"]}`))), latin1(body(disabled, '{"edits":["ü"]}')))
  })
})
