import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { GatewayError } from '@millrace/shared'

import {
  SONNET_4,
  SONNET_4_5,
  NOVA,
  LLAMA,
  HELLO,
  PNG,
  asking,
  encoded,
  bodyOf,
  contentOf,
  said,
  text,
  tool,
  call,
  result,
  type Asked,
} from './asked.fixture.ts'
import { encodeRequest } from './request-write.ts'

describe('conversations', () => {
  it('tells the system what stands in front and in the middle', () => {
    const messages = [HELLO, said('developer', text('Be brief.')), said('user', text('Well?'))]
    const body = bodyOf({ system: [text('Be kind.'), text(' ')], messages })
    assert.deepEqual(body['system'], [{ text: 'Be kind.' }, { text: 'Be brief.' }])
    assert.deepEqual(body['messages'], [{ role: 'user', content: [{ text: 'Hello' }, { text: 'Well?' }] }])
  })

  it('begins with a user, leaves out what is blank, and ends without space', () => {
    const messages = [said('assistant', text('Hi!')), said('user', text(' \n')), said('assistant', text('So: '))]
    assert.deepEqual(bodyOf({ messages })['messages'], [
      { role: 'user', content: [{ text: '(nothing was said)' }] },
      { role: 'assistant', content: [{ text: 'Hi!' }, { text: 'So:' }] },
    ])
  })

  it('ends without space before a mark too', () => {
    const messages = [HELLO, said('assistant', { ...text('So: '), cache: { ttl: null } })]
    assert.deepEqual(bodyOf({ messages })['messages'][1].content.slice(0, 1), [{ text: 'So:' }])
  })

  it('refuses one in which nothing is said', () => {
    assert.throws(
      () => bodyOf({ messages: [said('user', text(''))], named: { messages: 'input' } }),
      (error: GatewayError) => error.code === 'param_not_allowed' && error.param === 'input',
    )
  })

  it('says calls and their results, the results first', () => {
    const messages = [
      HELLO,
      said('assistant', text('Let me see.'), call('a', 'weather', '{"n":1.10,"m":12345678901234567890}')),
      said('user', text('Go on'), { ...result('a', text('sunny')), isError: true, cache: { ttl: null } }, result('b')),
    ]
    const { body } = encodeRequest(asking({ messages, tools: [tool('weather')] }), SONNET_4_5)
    assert.ok(body.includes('"input":{"n":1.10,"m":12345678901234567890}'), 'numbers keep their spelling')
    assert.deepEqual(JSON.parse(body).messages[2].content, [
      { toolResult: { toolUseId: 'a', content: [{ text: 'sunny' }], status: 'error' } },
      { cachePoint: { type: 'default' } },
      { toolResult: { toolUseId: 'b', content: [{ text: '(no output)' }] } },
      { text: 'Go on' },
    ])
  })

  it('tells only who knows it that a result is an error', () => {
    const messages = [HELLO, said('assistant', call('a', 'f')), said('user', { ...result('a'), isError: true })]
    assert.equal(bodyOf({ messages }, LLAMA)['messages'][2].content[0].toolResult.status, undefined)
  })

  it('gives arguments that are no object within one', () => {
    for (const [args, input] of [
      ['', {}],
      ['{"a":', { input: '{"a":' }],
      ['[1]', { input: '[1]' }],
    ] as const) {
      const messages = [HELLO, said('assistant', call('a', 'f', args)), said('user', result('a', text('x')))]
      assert.deepEqual(bodyOf({ messages })['messages'][1].content[0].toolUse.input, input)
    }
  })

  it('maps ids and names that Converse does not take, the same to the same', () => {
    const odd = 'call|1.2/3'
    const name = `mcp.server/${'x'.repeat(80)}`
    const { body, memo } = encoded({
      messages: [HELLO, said('assistant', call(odd, name)), said('user', result(odd, text('x')))],
      tools: [tool(name), tool('fine')],
      toolChoice: { type: 'tool', name },
    })
    const { toolUseId, name: sent } = body['messages'][1].content[0].toolUse
    for (const one of [toolUseId, sent]) assert.match(one, /^[a-zA-Z0-9_-]{1,64}$/)
    assert.equal(body['messages'][2].content[0].toolResult.toolUseId, toolUseId)
    assert.equal(body['toolConfig'].tools[0].toolSpec.name, sent)
    assert.deepEqual(body['toolConfig'].toolChoice, { tool: { name: sent } })
    assert.equal((memo as any).names.get(sent), name)
  })

  it('gives back the thoughts that Bedrock has signed, and no others', () => {
    const thought = (origin: 'converse' | 'messages', value: string) =>
      ({ type: 'reasoning', text: 'hm', signature: { origin, value } }) as const
    const content = [
      thought('converse', 'sig'),
      thought('messages', 'other'),
      { type: 'reasoning', text: 'unsigned', signature: null } as const,
      { ...thought('converse', ''), text: '', redacted: 'cmVk' },
      { ...thought('messages', ''), text: '', redacted: 'bm8=' },
      text('So'),
    ]
    assert.deepEqual(bodyOf({ messages: [HELLO, said('assistant', ...content)] })['messages'][1].content, [
      { reasoningContent: { reasoningText: { text: 'hm', signature: 'sig' } } },
      { reasoningContent: { redactedContent: 'cmVk' } },
      { text: 'So' },
    ])
  })

  it('marks what may be kept, where the model keeps anything', () => {
    const asked: Asked = {
      system: [{ ...text('Long.'), cache: { ttl: '1h' } }],
      messages: [said('user', { ...text('Hello'), cache: { ttl: '5m' } })],
      tools: [tool('f', { cache: { ttl: null } })],
    }
    const body = bodyOf(asked, SONNET_4_5)
    assert.deepEqual(body['system'][1], { cachePoint: { type: 'default', ttl: '1h' } })
    assert.deepEqual(body['messages'][0].content[1], { cachePoint: { type: 'default' } })
    assert.deepEqual(body['toolConfig'].tools[1], { cachePoint: { type: 'default' } })
    assert.equal(bodyOf(asked, SONNET_4)['system'][1].cachePoint.ttl, undefined)
    assert.equal(bodyOf(asked, NOVA)['toolConfig'].tools.length, 1)
    assert.ok(!JSON.stringify(bodyOf(asked, LLAMA)).includes('cachePoint'))
  })
})

describe('images, files and recordings', () => {
  const image = (mediaType: string) => ({ type: 'image', source: { from: 'data', mediaType, data: PNG } }) as const

  it('says their bytes', () => {
    assert.deepEqual(contentOf([image('image/png'), image('IMAGE/JPG')]), [
      { image: { format: 'png', source: { bytes: PNG } } },
      { image: { format: 'jpeg', source: { bytes: PNG } } },
    ])
    assert.deepEqual(contentOf([{ type: 'audio', data: PNG, format: 'wav' }]), [
      { audio: { format: 'wav', source: { bytes: PNG } } },
    ])
  })

  it('names documents, each by another name that Converse takes, beside a text', () => {
    const pdf = { type: 'file', source: { from: 'data', mediaType: 'application/pdf', data: PNG } } as const
    const content = contentOf([
      { ...pdf, filename: 'C:\\docs\\Jahres_bericht (2).pdf', citations: true },
      { ...pdf, filename: 'Jahres bericht (2).pdf' },
      { type: 'file', source: { from: 'text', text: 'Grüße' } },
      { type: 'file', source: { from: 'data', mediaType: 'application/octet-stream', data: PNG }, filename: 'a.MD' },
    ])
    assert.deepEqual(content, [
      { document: { format: 'pdf', name: 'Jahres bericht (2)', source: { bytes: PNG }, citations: { enabled: true } } },
      { document: { format: 'pdf', name: 'Jahres bericht (2) (2)', source: { bytes: PNG } } },
      { document: { format: 'txt', name: 'document', source: { bytes: Buffer.from('Grüße').toString('base64') } } },
      { document: { format: 'md', name: 'a', source: { bytes: PNG } } },
      { text: 'See the document.' },
    ])
  })

  for (const [name, part] of [
    ['an address of an image', { type: 'image', source: { from: 'url', url: 'https://x.example/a.png' } }],
    ['an image in another format', image('image/tiff')],
    ['a file that was uploaded elsewhere', { type: 'file', source: { from: 'file', id: 'file-1' } }],
    ['a file of another kind', { type: 'file', source: { from: 'data', mediaType: 'application/zip', data: PNG } }],
    ['a recording in another format', { type: 'audio', data: PNG, format: 'amr' }],
  ] as const) {
    it(`refuses ${name}, also as the result of a tool`, () => {
      const refusal = (error: GatewayError) => error.code === 'unsupported_endpoint' && error.param === 'messages'
      assert.throws(() => contentOf([part]), refusal)
      if (part.type !== 'audio') assert.throws(() => contentOf([result('a', part)]), refusal)
    })
  }
})

describe('odd input', () => {
  it('survives lone surrogates, and changes nothing that it is given', () => {
    const request = asking({
      system: [text('\ud83d')],
      messages: [said('user', text('a\udc00')), said('assistant', call('\ud83d', '\ud83d', '{"\\ud83d":"\ud83d"}'))],
      tools: [tool('\ud83d')],
    })
    const before = JSON.stringify(request)
    const { body } = encodeRequest(request, SONNET_4)
    JSON.parse(body)
    assert.equal(JSON.stringify(request), before)
  })
})
