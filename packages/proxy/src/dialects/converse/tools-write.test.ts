import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseExact } from '../../canonical/exact-json.ts'
import {
  SONNET_4,
  SONNET_4_5,
  NOVA,
  LLAMA,
  HELLO,
  asking,
  encoded,
  bodyOf,
  said,
  text,
  tool,
  call,
  result,
  type Asked,
} from './asked.fixture.ts'
import { encodeRequest } from './request-write.ts'

describe('tools', () => {
  const tools = [tool('f', { description: 'Does f.', strict: true }), tool('g', { parameters: null })]
  const called = [HELLO, said('assistant', call('a', 'old')), said('user', result('a', text('x')))]

  it('says them', () => {
    const json = { type: 'object', properties: {} }
    assert.deepEqual(bodyOf({ tools }, SONNET_4_5)['toolConfig'], {
      tools: [
        { toolSpec: { name: 'f', description: 'Does f.', inputSchema: { json }, strict: true } },
        { toolSpec: { name: 'g', inputSchema: { json } } },
      ],
    })
    assert.equal(bodyOf({ tools }, LLAMA)['toolConfig'].tools[0].toolSpec.strict, undefined)
  })

  it('keeps the spelling of numbers in schemas', () => {
    const parameters = parseExact('{"type":"object","properties":{"a":{"multipleOf":0.10,"maximum":1e400}}}') as {}
    const { body } = encodeRequest(asking({ tools: [tool('f', { parameters })] }), SONNET_4)
    assert.ok(body.includes('"multipleOf":0.10,"maximum":1e400'))
  })

  for (const [name, toolChoice, expected, names] of [
    ['auto', { type: 'auto' }, undefined, ['f', 'g']],
    ['some', { type: 'required' }, { any: {} }, ['f', 'g']],
    ['one', { type: 'tool', name: 'g' }, { tool: { name: 'g' } }, ['f', 'g']],
    ['some of these', { type: 'allowed', names: ['g'], required: true }, { any: {} }, ['g']],
    ['these', { type: 'allowed', names: ['f'], required: false }, undefined, ['f']],
  ] as const) {
    it(`says which may be called: ${name}`, () => {
      const { toolConfig } = bodyOf({ tools, toolChoice })
      assert.deepEqual(toolConfig.toolChoice, expected)
      assert.deepEqual(
        toolConfig.tools.map(({ toolSpec }: any) => toolSpec.name),
        names,
      )
    })
  }

  it('has one called as far as the model can be made to', () => {
    const toolChoice = { type: 'tool', name: 'g' } as const
    const named = { toolChoice: 'tool_choice' }
    const sent = (model: string, choice: Asked['toolChoice']) => {
      const { body, dropped } = encoded({ tools, toolChoice: choice!, named }, model)
      const { toolConfig, system } = body
      return [toolConfig.toolChoice, toolConfig.tools.length, system?.[0].text, dropped]
    }
    assert.deepEqual(sent('openai.gpt-oss-20b-1:0', toolChoice), [{ tool: { name: 'g' } }, 2, undefined, []])
    for (const model of ['mistral.mistral-large-2407-v1:0', 'deepseek.v3-v1:0']) {
      assert.deepEqual(sent(model, toolChoice), [{ any: {} }, 1, undefined, []])
      assert.deepEqual(sent(model, { type: 'required' }), [{ any: {} }, 2, undefined, []])
    }
    const profile = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3'
    for (const model of [LLAMA, 'cohere.command-r-v1:0', profile]) {
      const asked = 'Give your answer by calling the tool g, and not in words.'
      assert.deepEqual(sent(model, toolChoice), [undefined, 2, asked, ['tool_choice']])
      assert.match(sent(model, { type: 'required' })[2], /^Answer by calling a tool/)
    }
  })

  it('keeps all of a description', () => {
    const description = 'x'.repeat(20_000)
    assert.equal(
      bodyOf({ tools: [tool('f', { description })] })['toolConfig'].tools[0].toolSpec.description,
      description,
    )
  })

  it('leaves them out where none may be called, unless some have been', () => {
    const toolChoice = { type: 'none' } as const
    const { toolConfig, system } = bodyOf({ tools, toolChoice })
    assert.deepEqual([toolConfig, system], [undefined, undefined])
    const after = bodyOf({ tools, toolChoice, messages: called })
    assert.equal(after['toolConfig'].tools.length, 2)
    assert.equal(after['toolConfig'].toolChoice, undefined)
    assert.deepEqual(after['system'], [{ text: 'Answer in words. Do not call any tool.' }])
  })

  it('stands in for tools that have been called and are there no more', () => {
    const { toolConfig } = bodyOf({ messages: called })
    assert.deepEqual(toolConfig, {
      tools: [{ toolSpec: { name: 'old', inputSchema: { json: { type: 'object', properties: {} } } } }],
    })
  })

  it('makes functions of tools that take any text', () => {
    const custom = { type: 'custom', name: 'patch', description: null, format: null } as const
    const messages = [
      HELLO,
      said('assistant', { ...call('a', 'patch', '*** x\n"y"'), kind: 'custom' }),
      said('user', result('a', text('done'))),
    ]
    const { body, memo } = encoded({ tools: [custom], messages })
    assert.deepEqual(body['toolConfig'].tools[0].toolSpec.inputSchema.json.required, ['input'])
    assert.deepEqual(body['messages'][1].content[0].toolUse.input, { input: '*** x\n"y"' })
    assert.deepEqual((memo as any).customs, ['patch'])
  })

  it('leaves out those that a provider runs itself', () => {
    const own = { type: 'own', name: 'web_search', own: { origin: 'messages', value: {} } } as const
    const alone = encoded({ tools: [own], toolChoice: { type: 'tool', name: 'web_search' } })
    assert.equal(alone.body['toolConfig'], undefined)
    assert.deepEqual(alone.dropped, ['tools', 'toolChoice'])
    const beside = encoded({ tools: [own, { type: 'custom', name: 'patch', description: null, format: null }] })
    assert.equal(beside.body['toolConfig'].tools.length, 1)
    assert.deepEqual(beside.dropped, ['tools'])
  })
})

describe('structured output', () => {
  const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'], additionalProperties: false }
  const format = { type: 'schema', name: 'my answer', description: 'It.', schema, strict: true } as const

  it('is native where the model has it', () => {
    const { body, answerTool } = encoded({ format }, SONNET_4_5)
    assert.equal(answerTool, null)
    assert.deepEqual(body['outputConfig'], {
      textFormat: {
        type: 'json_schema',
        structure: { jsonSchema: { schema: JSON.stringify(schema), name: 'my_answer', description: 'It.' } },
      },
    })
    assert.ok(encoded({ format }, 'openai.gpt-oss-120b-1:0').body['outputConfig'])
  })

  it('is a tool that has to be called, where it is not', () => {
    const { body, answerTool, dropped } = encoded({ format, tools: [tool('my_answer')] }, SONNET_4)
    assert.deepEqual([answerTool, dropped], ['my_answer_2', []])
    const { tools, toolChoice } = body['toolConfig']
    assert.deepEqual(tools[1].toolSpec, { name: 'my_answer_2', description: 'It.', inputSchema: { json: schema } })
    assert.deepEqual(toolChoice, { any: {} })
    assert.deepEqual(bodyOf({ format }, NOVA)['toolConfig'].toolChoice, { tool: { name: 'my_answer' } })
  })

  it('is asked for in words where a tool cannot be forced', () => {
    for (const body of [
      bodyOf({ format }, LLAMA),
      bodyOf({ format, reasoning: { effort: 'low', budget: null, enabled: null, shown: null } }, SONNET_4),
    ]) {
      assert.equal(body['toolConfig'].toolChoice, undefined)
      assert.match(body['system'][0].text, /calling the tool my_answer/)
    }
    const { body, dropped, answerTool } = encoded({ format }, 'us.deepseek.r1-v1:0')
    assert.deepEqual([answerTool, dropped], [null, ['format']])
    assert.ok(body['system'][0].text.includes(JSON.stringify(schema)))
  })

  it('leaves tools that have to be called alone', () => {
    const { answerTool, body } = encoded({ format, tools: [tool('f')], toolChoice: { type: 'required' } }, SONNET_4)
    assert.equal(answerTool, null)
    assert.equal(body['toolConfig'].tools.length, 1)
  })

  it('asks for JSON of any form in words', () => {
    const { body, dropped } = encoded({ format: { type: 'json' } })
    assert.match(body['system'][0].text, /one JSON object/)
    assert.deepEqual(dropped, [])
  })
})
