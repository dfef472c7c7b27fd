import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { StreamPart } from '../../canonical/answer.ts'
import { COMPATIBLE_WIRE } from './wire-options.ts'
import { chatWire } from './wire.ts'

const ENCODING = { dropped: [], answerTool: null, memo: null }

function read(chunks: readonly unknown[], done = true, options = COMPATIBLE_WIRE): StreamPart[] {
  const reader = chatWire(options).reader(ENCODING)
  const parts: StreamPart[] = []
  for (const chunk of chunks) parts.push(...reader.take(typeof chunk === 'string' ? chunk : JSON.stringify(chunk), ''))
  if (done) parts.push(...reader.take('[DONE]', ''))
  return [...parts, ...reader.close()]
}

const delta = (value: object, more: object = {}): object => ({
  id: 'c',
  choices: [{ index: 0, delta: value, finish_reason: null, ...more }],
})
const end = (reason: string): object => ({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: reason }] })

const only = (parts: readonly StreamPart[], ...types: string[]): StreamPart[] =>
  parts.filter(({ type }) => types.includes(type))

describe('a stream', () => {
  it('is read in order: what it is, what it says, how it ends, what it used', () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
    const parts = read([
      { id: '', choices: [], prompt_filter_results: [], model: '', created: 0 },
      delta({ role: 'assistant', content: '' }),
      delta({ content: 'a' }),
      delta({ content: 'b' }),
      end('stop'),
      { id: 'c', choices: [], usage },
    ])
    assert.deepEqual(
      parts.map(({ type }) => type),
      ['start', 'text', 'text', 'finish', 'usage', 'done'],
    )
  })

  it('tells at once what it has used, for who goes before its end', () => {
    const reader = chatWire(COMPATIBLE_WIRE).reader(ENCODING)
    const outputTokens = (): number | undefined => reader.usageSoFar?.outputTokens
    reader.take(JSON.stringify(delta({ content: 'a' })), '')
    assert.equal(outputTokens(), undefined)
    for (const completion_tokens of [1, 2]) {
      const usage = { prompt_tokens: 3, completion_tokens }
      reader.take(JSON.stringify({ ...delta({ content: 'b' }), usage }), '')
      assert.equal(outputTokens(), completion_tokens)
    }
  })

  for (const [name, deltas] of [
    ['DeepSeek', [{ reasoning_content: 'th' }, { reasoning_content: 'ink', content: null }, { content: 'say' }]],
    ['Groq', [{ reasoning: 'think' }, { content: 'say' }]],
    [
      'Mistral',
      [
        { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'think' }] }] },
        { content: [{ type: 'text', text: 'say' }] },
      ],
    ],
    [
      'OpenRouter',
      [
        { content: '', reasoning: 'think', reasoning_details: [{ type: 'reasoning.text', text: 'think', index: 0 }] },
        { content: 'say' },
      ],
    ],
  ] as const) {
    it(`thinks before it speaks, as at ${name}`, () => {
      const parts = read([...deltas.map((each) => delta(each)), end('stop')])
      const said = only(parts, 'reasoning', 'text') as { type: string; block: number; text: string }[]
      const textOf = (block: number): string =>
        said
          .filter((part) => part.block === block)
          .map((part) => part.text)
          .join('')
      assert.deepEqual([textOf(0), textOf(1)], ['think', 'say'])
    })
  }

  it('calls tools in pieces, by number', () => {
    const parts = read([
      delta({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '{"x"' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
      delta({ tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } }] }),
      end('tool_calls'),
    ])
    assert.deepEqual(only(parts, 'tool_call', 'arguments'), [
      { type: 'tool_call', choice: 0, block: 0, id: 'a', name: 'f' },
      { type: 'arguments', choice: 0, block: 0, text: '{"x"' },
      { type: 'arguments', choice: 0, block: 0, text: ':1}' },
      { type: 'tool_call', choice: 0, block: 1, id: 'b', name: 'g' },
      { type: 'arguments', choice: 0, block: 1, text: '{}' },
    ])
  })

  for (const [name, first, second] of [
    ['without numbers', {}, {}],
    ['that are all numbered 0', { index: 0 }, { index: 0 }],
  ] as const) {
    it(`calls tools whole, ${name}`, () => {
      const parts = read([
        delta({ tool_calls: [{ ...first, id: 'a', function: { name: 'f', arguments: '{}' } }] }),
        delta(
          { tool_calls: [{ ...second, id: 'b', function: { name: 'f', arguments: { x: 1 } } }] },
          { finish_reason: 'stop' },
        ),
      ])
      assert.deepEqual(
        only(parts, 'tool_call').map((part) => (part as { id: string }).id),
        ['a', 'b'],
      )
      assert.deepEqual((only(parts, 'arguments')[1] as { text: string }).text, '{"x":1}')
      assert.equal((only(parts, 'finish')[0] as { finish: { reason: string } }).finish.reason, 'tool_calls')
    })
  }

  for (const [name, rest] of [
    ['in the same order', [{ function: { arguments: '1}' } }, { function: { arguments: '2}' } }]],
    [
      'by number',
      [
        { index: 1, function: { arguments: '2}' } },
        { index: 0, function: { arguments: '1}' } },
      ],
    ],
  ] as const) {
    it(`begins several calls without numbers, and goes on with them ${name}`, () => {
      const begun = ['f', 'g'].map((id) => ({ id, type: 'function', function: { name: id, arguments: '{"x":' } }))
      const parts = read([delta({ tool_calls: begun }), delta({ tool_calls: rest }), end('tool_calls')])
      const said = ['', '']
      for (const part of parts) if (part.type === 'arguments') said[part.block]! += part.text
      assert.deepEqual(said, ['{"x":1}', '{"x":2}'])
      assert.equal(only(parts, 'tool_call').length, 2)
    })
  }

  it('calls what was called a function, and custom tools', () => {
    const parts = read([
      delta({ function_call: { name: 'f', arguments: '' } }),
      delta({ function_call: { arguments: '{}' } }),
      end('function_call'),
    ])
    assert.deepEqual(
      only(parts, 'tool_call', 'arguments').map(({ type }) => type),
      ['tool_call', 'arguments'],
    )
    const custom = read([
      delta({ tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: { name: 'g', input: 'x' } }] }),
      end('tool_calls'),
    ])
    assert.equal((only(custom, 'tool_call')[0] as { kind: string }).kind, 'custom')
  })

  it('goes on though it says with each chunk that it has ended', () => {
    const parts = read([
      delta({ content: 'a' }, { finish_reason: 'stop' }),
      delta({ content: 'b' }, { finish_reason: 'length' }),
    ])
    assert.equal(
      only(parts, 'text')
        .map((part) => (part as { text: string }).text)
        .join(''),
      'ab',
    )
    assert.deepEqual(
      only(parts, 'finish').map((part) => (part as { finish: { reason: string } }).finish.reason),
      ['length'],
    )
  })

  it('tells usage wherever it stands, the last once', () => {
    const usage = (n: number): object => ({ prompt_tokens: 1, completion_tokens: n })
    const tokens = (parts: readonly StreamPart[]): number[] =>
      only(parts, 'usage').map((part) => (part as { usage: { outputTokens: number } }).usage.outputTokens)
    assert.deepEqual(
      tokens(
        read([
          { ...delta({ content: 'a' }), usage: usage(1) },
          { ...end('stop'), usage: usage(2) },
        ]),
      ),
      [2],
    )
    assert.deepEqual(tokens(read([{ ...end('stop'), x_groq: { usage: usage(3) } }])), [3])
  })

  it('refuses, cites and knows probabilities', () => {
    const annotation = {
      type: 'url_citation',
      url_citation: { url: 'https://x.example', title: 't', start_index: 0, end_index: 1 },
    }
    const logprobs = { content: [{ token: 'a', logprob: -0.5, bytes: [97], top_logprobs: [] }] }
    const parts = read([
      delta({ content: 'a' }, { logprobs }),
      delta({ annotations: [annotation] }),
      delta({ refusal: 'no' }),
      end('stop'),
    ])
    assert.deepEqual((only(parts, 'text')[0] as { logprobs: unknown }).logprobs, [
      { token: 'a', logprob: -0.5, bytes: [97], top: [] },
    ])
    assert.equal((only(parts, 'citation')[0] as { block: number }).block, 0)
    assert.equal((only(parts, 'refusal')[0] as { block: number }).block, 1)
    assert.equal((only(parts, 'finish')[0] as { finish: { reason: string } }).finish.reason, 'refusal')
  })

  it('cites what Perplexity names beside the choices', () => {
    const parts = read([
      delta({ content: 'a' }),
      { ...end('stop'), search_results: [{ url: 'https://x.example', title: 't' }] },
    ])
    const [cited] = only(parts, 'citation')
    const { citation } = cited as Extract<StreamPart, { type: 'citation' }>
    assert.deepEqual([citation.url, citation.title], ['https://x.example', 't'])
  })

  for (const [name, chunk, message] of [
    ['OpenAI', { error: { message: 'no', type: 't', code: 5 } }, 'no'],
    ['Mistral', { object: 'error', message: 'no', type: 't', code: 5 }, 'no'],
    [
      'OpenRouter',
      { id: 'c', choices: [{ delta: {}, error: { message: 'no', code: 502 }, finish_reason: 'error' }] },
      'no',
    ],
    ['a server in Python', { detail: [{ msg: 'no', loc: ['body', 'x'] }] }, 'no'],
  ] as const) {
    it(`fails as at ${name}, and says nothing after it`, () => {
      const parts = read([delta({ content: 'a' }), chunk, delta({ content: 'b' })])
      assert.deepEqual(
        parts.map(({ type }) => type),
        ['start', 'text', 'error'],
      )
      assert.equal((parts.at(-1) as { error: { message: string } }).error.message, message)
    })
  }

  it('is whole only with its end, where it is not known otherwise', () => {
    const chunks = [delta({ content: 'a' }), end('stop')]
    assert.equal(read(chunks, false).at(-1)!.type, 'text')
    assert.equal(read(chunks, false, { ...COMPATIBLE_WIRE, endsWithoutDone: true }).at(-1)!.type, 'done')
    assert.equal(
      read([delta({ content: 'a' })], false, { ...COMPATIBLE_WIRE, endsWithoutDone: true }).at(-1)!.type,
      'text',
    )
  })

  it('of another API says nothing, nor does what is no JSON', () => {
    assert.deepEqual(
      read(['<html>', '{"type":"response.created"}', '[]', '5', 'null', '{"choices":5}', '{"choices":[null]}']),
      [],
    )
    assert.deepEqual(
      read([{ object: 'text_completion', choices: [{ text: 'a', index: 0, finish_reason: 'stop' }] }]).filter(
        ({ type }) => type !== 'start',
      ),
      [],
    )
  })
})
