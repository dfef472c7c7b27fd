import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Part } from '../../canonical/content.ts'
import { call, OPUS, params, result, SONNET, write } from './written.fixture.ts'

const text = (words: string): Part => ({ type: 'text', text: words })

describe('a request put to the Messages API', () => {
  test('has a limit of tokens that its model takes', () => {
    const of = (model: string) => write({}, model).body.max_tokens
    assert.deepEqual(
      ['claude-3-haiku-20240307', 'claude-3-5-sonnet-20241022', 'claude-opus-4-20250514', SONNET, OPUS, 'other'].map(
        of,
      ),
      [4_096, 8_192, 32_000, 64_000, 64_000, 8_192],
    )
    assert.equal(write(params({ maxTokens: 7 })).body.max_tokens, 7)
  })

  test('has roles in turn, the user first, and results before all else', () => {
    const { body } = write({
      system: [{ type: 'text', text: 'One.' }],
      messages: [
        { role: 'assistant', content: [text('Hi.'), call('a.b'), call('c')] },
        { role: 'user', content: [text('And?'), result('a.b')] },
        { role: 'developer', content: [text('Two.')] },
        { role: 'user', content: [result('c'), text('  ')] },
        { role: 'assistant', content: [text('Well, \n')] },
      ],
    })
    assert.deepEqual(
      body.system.map((block: { text: string }) => block.text),
      ['One.', 'Two.'],
    )
    assert.deepEqual(
      body.messages.map(({ role, content }: { role: string; content: { type: string }[] }) => [
        role,
        content.map(({ type }) => type).join(),
      ]),
      [
        ['user', 'text'],
        ['assistant', 'text,tool_use,tool_use'],
        ['user', 'tool_result,tool_result,text'],
        ['assistant', 'text'],
      ],
    )
    const id = body.messages[1].content[1].id
    assert.match(id, /^[a-zA-Z0-9_-]+$/)
    assert.equal(body.messages[2].content[0].tool_use_id, id)
    assert.equal(body.messages[1].content[2].id, 'c')
    assert.equal(body.messages[3].content[0].text, 'Well,')
    // The API does not take calls of tools that it was not told of.
    assert.deepEqual([body.tools[0].name, body.tool_choice], ['f', { type: 'none' }])
  })

  test('says a system prompt alone as the user', () => {
    const { body } = write({ system: [{ type: 'text', text: 'One.' }], messages: [] })
    assert.deepEqual(
      [body.system, body.messages],
      [undefined, [{ role: 'user', content: [{ type: 'text', text: 'One.' }] }]],
    )
  })

  test('names what it does not say, each once, and says nothing of what is the default', () => {
    const { body, dropped } = write({
      unknown: ['prediction'],
      ...params({
        seed: 1,
        choices: 2,
        logprobs: false,
        frequencyPenalty: 0,
        stop: ['x', ' '],
        user: 'u',
        serviceTier: 'auto',
      }),
    })
    assert.deepEqual(dropped, ['prediction', 'stop', 'seed', 'choices'])
    assert.deepEqual([body.stop_sequences, body.metadata, body.service_tier], [['x'], { user_id: 'u' }, undefined])
    assert.deepEqual(write(params({ choices: 1, modalities: ['text'] })).dropped, [])
  })

  test('refuses what no model of Anthropic takes', () => {
    const audio: Part = { type: 'audio', data: 'aaaa', format: 'wav' }
    assert.throws(() => write({ messages: [{ role: 'user', content: [audio] }] }), { code: 'unsupported_endpoint' })
    const file: Part = { type: 'file', source: { from: 'data', mediaType: 'video/mp4', data: 'aaaa' } }
    assert.throws(() => write({ messages: [{ role: 'user', content: [file] }] }), { code: 'unsupported_endpoint' })
  })

  test('marks no more than four places to be kept', () => {
    const marked: Part = { type: 'text', text: 'x', cache: { ttl: null } }
    const { body } = write({ messages: [{ role: 'user', content: [marked, marked, marked, marked, marked, marked] }] })
    assert.equal(body.messages[0].content.filter((block: object) => 'cache_control' in block).length, 4)
  })
})
