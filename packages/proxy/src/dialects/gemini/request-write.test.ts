import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { countWire, generateWire } from './wire.ts'
import { request, tool } from './written.fixture.ts'

describe('where Gemini is asked', () => {
  for (const [model, stream, path] of [
    ['gemini-x', false, '/models/gemini-x:generateContent'],
    ['gemini-x', true, '/models/gemini-x:streamGenerateContent?alt=sse'],
    ['models/gemini-x', false, '/models/gemini-x:generateContent'],
    ['tunedModels/mine', false, '/tunedModels/mine:generateContent'],
    ['a b?c', false, '/models/a%20b%3Fc:generateContent'],
  ] as const) {
    it(`${model} ${stream ? 'streamed' : 'whole'}`, () => assert.equal(generateWire.pathOf(model, stream), path))
  }
  it('counts', () => assert.equal(countWire.pathOf('gemini-x', false), '/models/gemini-x:countTokens'))
})

describe('a count', () => {
  it('is asked for of the whole request', () => {
    const asked = request({ system: [{ type: 'text', text: 's' }], tools: [tool('f')] }, { maxTokens: 5 })
    const { body } = countWire.encode(asked, { model: 'gemini-x', stream: false })
    assert.deepEqual(JSON.parse(body), {
      generateContentRequest: {
        model: 'models/gemini-x',
        systemInstruction: { parts: [{ text: 's' }] },
        contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
        tools: [{ functionDeclarations: [{ name: 'f' }] }],
      },
    })
  })

  it('is read', () => {
    const encoding = { dropped: [], answerTool: null, memo: null }
    assert.deepEqual(countWire.read({ totalTokens: 7 }, encoding), { kind: 'count', inputTokens: 7 })
    for (const bad of [null, 7, {}, { totalTokens: '7' }, []]) assert.equal(countWire.read(bad, encoding), null)
  })
})
