import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseExact } from '../../canonical/exact-json.ts'
import type { Tool, ToolChoice } from '../../canonical/request.ts'
import { ASKED, call, encode, GEMINI_3, request, resultOf, tool, type Json } from './written.fixture.ts'

describe('tools', () => {
  it('have their JSON Schema but for its dialect, and none without arguments', () => {
    const parameters = {
      $schema: 'x',
      properties: { a: { $ref: '#/$defs/a' } },
      $defs: { a: {} },
      additionalProperties: false,
    }
    const { json } = encode(request({ tools: [tool('f', parameters), tool('g'), tool('h', {})] }))
    const { $schema: _, ...schema } = parameters
    assert.deepEqual(json['tools'], [
      {
        functionDeclarations: [
          { name: 'f', parametersJsonSchema: { type: 'object', ...schema } },
          { name: 'g' },
          { name: 'h' },
        ],
      },
    ])
  })

  it('have names that Gemini takes, everywhere', () => {
    const { json, memo } = encode(
      request({
        messages: [ASKED, { role: 'assistant', content: [call('3d')] }, { role: 'user', content: [resultOf('3d')] }],
        tools: [tool('3d'), tool('-x'), tool('f')],
        toolChoice: { type: 'tool', name: '3d' },
      }),
    )
    const names = json['tools'][0].functionDeclarations.map(({ name }: Json) => name)
    assert.deepEqual(names, ['_3d', '_-x', 'f'])
    assert.deepEqual(json['toolConfig'].functionCallingConfig.allowedFunctionNames, ['_3d'])
    assert.equal(json['contents'][1].parts[0].functionCall.name, '_3d')
    assert.equal(json['contents'][2].parts[0].functionResponse.name, '_3d')
    assert.deepEqual(
      [...(memo as { names: Map<string, string> }).names],
      [
        ['_3d', '3d'],
        ['_-x', '-x'],
      ],
    )
  })

  it('keep the spelling of numbers in schemas', () => {
    const parameters = parseExact(
      '{"type":"object","properties":{"a":{"maximum":1.0,"minimum":-12345678901234567890}}}',
    )
    const { body } = encode(request({ tools: [tool('f', parameters as Json)] }))
    assert.ok(body.includes('"maximum":1.0,"minimum":-12345678901234567890'))
  })

  for (const [choice, expected] of [
    [null, undefined],
    [{ type: 'auto' }, undefined],
    [{ type: 'none' }, { mode: 'NONE' }],
    [{ type: 'required' }, { mode: 'ANY' }],
    [
      { type: 'tool', name: 'f' },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
    [
      { type: 'allowed', names: ['f'], required: true },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
    [
      { type: 'allowed', names: ['f'], required: false },
      { mode: 'VALIDATED', allowedFunctionNames: ['f'] },
    ],
  ] as [ToolChoice | null, unknown][]) {
    it(`are chosen by ${JSON.stringify(choice)}`, () => {
      const { json } = encode(request({ tools: [tool('f'), tool('g')], toolChoice: choice }))
      assert.deepEqual(json['toolConfig']?.functionCallingConfig, expected)
    })
  }

  it("that a provider runs itself are Gemini's, where it takes them", () => {
    const search = {
      type: 'own',
      name: 'web_search',
      own: { origin: 'responses', value: { type: 'web_search' } },
    } as const
    const other = { type: 'own', name: 'x', own: { origin: 'responses', value: { type: 'file_search' } } } as const
    assert.deepEqual(encode(request({ tools: [search] })).json['tools'], [{ googleSearch: {} }])
    assert.deepEqual(encode(request({ tools: [search, other, tool('f')] })).dropped, ['tools'])
    const { json, dropped } = encode(request({ tools: [search, tool('f')] }), GEMINI_3)
    assert.deepEqual([json['tools'][1], dropped], [{ googleSearch: {} }, []])
  })

  it('that a provider runs itself are left out where none is to be called, and cannot be insisted on', () => {
    const search: Tool = {
      type: 'own',
      name: 'web_search',
      own: { origin: 'messages', value: { type: 'web_search' } },
    }
    const asked = (toolChoice: ToolChoice, more: readonly Tool[] = []): unknown[] => {
      const { json, dropped } = encode(request({ tools: [search, ...more], toolChoice }), GEMINI_3)
      const named = json['toolConfig']?.functionCallingConfig?.allowedFunctionNames
      return [(json['tools'] ?? []).map((one: Json) => Object.keys(one)[0]), named, dropped]
    }
    const own = ['googleSearch']
    const both = ['functionDeclarations', 'googleSearch']
    assert.deepEqual(asked({ type: 'none' }), [[], undefined, []])
    assert.deepEqual(asked({ type: 'none' }, [tool('f')]), [['functionDeclarations'], undefined, []])
    assert.deepEqual(asked({ type: 'required' }), [own, undefined, ['toolChoice']])
    assert.deepEqual(asked({ type: 'tool', name: 'web_search' }, [tool('f')]), [both, undefined, ['toolChoice']])
    const names = ['web_search', 'f']
    assert.deepEqual(asked({ type: 'allowed', names, required: true }, [tool('f')]), [both, ['f'], []])
  })
})

describe('structured output', () => {
  const schema = { $schema: 'x', type: 'object', properties: { a: { type: 'string' } } }
  const format = { type: 'schema', name: 'my answer', description: null, schema, strict: true } as const
  const { $schema: _, ...asked } = schema

  it("is asked for by the API's own means", () => {
    const { json, answerTool } = encode(request({ format }))
    assert.deepEqual(json['generationConfig'], { responseMimeType: 'application/json', responseJsonSchema: asked })
    assert.equal(answerTool, null)
    assert.deepEqual(encode(request({ format: { type: 'json' } })).json['generationConfig'], {
      responseMimeType: 'application/json',
    })
    assert.equal(encode(request({ format: { type: 'text' } })).json['generationConfig'], undefined)
  })

  it('beside tools is so from Gemini 3 on, and a forced call before', () => {
    const newer = encode(request({ format, tools: [tool('f')] }), GEMINI_3)
    assert.deepEqual([newer.answerTool, newer.json['generationConfig'].responseJsonSchema], [null, asked])
    const older = encode(request({ format, tools: [tool('f'), tool('my_answer')] }))
    assert.equal(older.answerTool, 'my_answer_2')
    assert.deepEqual(older.json['toolConfig'], { functionCallingConfig: { mode: 'ANY' } })
    assert.deepEqual(older.json['tools'][0].functionDeclarations.at(-1), {
      name: 'my_answer_2',
      description: 'Call this with the answer.',
      parametersJsonSchema: asked,
    })
    assert.equal(older.json['generationConfig'], undefined)
  })

  it('takes the place of tools that Gemini runs itself before Gemini 3, and says so', () => {
    const search = { type: 'own', name: 'x', own: { origin: 'responses', value: { type: 'web_search' } } } as const
    const older = encode(request({ format, tools: [search] }))
    assert.deepEqual([older.json['tools'], older.dropped], [undefined, ['tools']])
    assert.deepEqual(encode(request({ format, tools: [search], toolChoice: { type: 'none' } })).dropped, [])
    const newer = encode(request({ format, tools: [search] }), GEMINI_3)
    assert.deepEqual([newer.json['tools'], newer.dropped], [[{ googleSearch: {} }], []])
  })

  it("without a call's being wanted needs no tools", () => {
    const { json, answerTool } = encode(request({ format, tools: [tool('f')], toolChoice: { type: 'none' } }))
    assert.deepEqual([json['tools'], json['toolConfig'], answerTool], [undefined, undefined, null])
    assert.deepEqual(json['generationConfig'].responseJsonSchema, asked)
  })
})
