import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Part } from '../../canonical/content.ts'
import type { Message } from '../../canonical/request.ts'
import { ASKED, call, contents, encode, GEMINI_3, request, type Json } from './written.fixture.ts'

describe('a conversation', () => {
  it('has system and developer texts in one place', () => {
    const { json } = encode(
      request({
        system: [{ type: 'text', text: 'a' }],
        messages: [ASKED, { role: 'developer', content: [{ type: 'text', text: 'b' }] }, ASKED],
      }),
    )
    assert.deepEqual(json['systemInstruction'], { parts: [{ text: 'a' }, { text: 'b' }] })
    assert.deepEqual(json['contents'], [{ role: 'user', parts: [{ text: 'hi' }, { text: 'hi' }] }])
  })

  it('of very many parts is told', () => {
    const many: Part[] = Array.from({ length: 200_000 }, () => ({ type: 'text', text: 'a' }))
    assert.equal(contents(many, 'user')[0]!['parts'].length, many.length + 1)
  })

  it('of a system prompt alone is said by the user', () => {
    const { json } = encode(request({ system: [{ type: 'text', text: 'a' }], messages: [] }))
    assert.deepEqual(json, { contents: [{ role: 'user', parts: [{ text: 'a' }] }] })
  })

  it('of models without a place for a system prompt begins with it', () => {
    const asked = (...messages: readonly Message[]): Json =>
      encode(request({ system: [{ type: 'text', text: 'a' }], messages }), 'models/gemma-3-27b-it').json
    const answer: Message = { role: 'assistant', content: [{ type: 'text', text: 'ho' }] }
    assert.deepEqual(asked(ASKED, answer), {
      contents: [
        { role: 'user', parts: [{ text: 'a' }, { text: 'hi' }] },
        { role: 'model', parts: [{ text: 'ho' }] },
      ],
    })
    assert.deepEqual(
      asked(answer)['contents'].map(({ role, parts }: Json) => [role, parts[0].text]),
      [
        ['user', 'a'],
        ['model', 'ho'],
      ],
    )
    const newer = encode(request({ system: [{ type: 'text', text: 'a' }] }), 'gemma-4-31b-it').json
    assert.deepEqual(newer['systemInstruction'], { parts: [{ text: 'a' }] })
  })

  it('tells results before all else, by the names of their calls', () => {
    const result: Part = { type: 'tool_result', id: 'id-f', content: [{ type: 'text', text: 'r' }], isError: true }
    const { json } = encode(
      request({
        messages: [
          ASKED,
          { role: 'assistant', content: [call('f', { arguments: '' })] },
          { role: 'user', content: [{ type: 'text', text: 'and?' }, result] },
        ],
      }),
    )
    assert.deepEqual(json['contents'].slice(1), [
      { role: 'model', parts: [{ functionCall: { id: 'id-f', name: 'f', args: {} } }] },
      {
        role: 'user',
        parts: [{ functionResponse: { id: 'id-f', name: 'f', response: { error: 'r' } } }, { text: 'and?' }],
      },
    ])
  })

  it('keeps the spelling of numbers in arguments, and what is no JSON', () => {
    const spelt = '{"a":12345678901234567890,"b":1.0,"c":1e3}'
    assert.ok(
      encode(request({ messages: [{ role: 'assistant', content: [call('f', { arguments: spelt })] }] })).body.includes(
        spelt,
      ),
    )
    for (const broken of ['{"a":', '[1]', '1e3']) {
      const [, { parts }] = contents([call('f', { arguments: broken })]) as [Json, Json]
      assert.deepEqual(parts[0].functionCall.args, { input: broken })
    }
  })

  it('puts images of results where the model takes them', () => {
    const image: Part = { type: 'image', source: { from: 'data', mediaType: 'image/png', data: 'AAAA' } }
    const content: Part[] = [{ type: 'tool_result', id: 'x', name: 'f', content: [image] }]
    const inline = { inlineData: { mimeType: 'image/png', data: 'AAAA' } }
    const response = { id: 'x', name: 'f', response: { output: '' } }
    const parts = (model: string): unknown =>
      encode(request({ messages: [{ role: 'user', content }] }), model).json['contents'][0].parts
    assert.deepEqual(parts(GEMINI_3), [{ functionResponse: { ...response, parts: [inline] } }])
    assert.deepEqual(parts('gemini-2.5-pro'), [{ functionResponse: response }, inline])
    const address: Part = { type: 'image', source: { from: 'url', url: 'https://x.y/z.png' } }
    const both: Part = { type: 'tool_result', id: 'x', name: 'f', content: [address, image] }
    const { json } = encode(request({ messages: [{ role: 'user', content: [both] }] }), GEMINI_3)
    assert.deepEqual(json['contents'][0].parts, [
      { functionResponse: { ...response, parts: [inline] } },
      { fileData: { mimeType: 'image/png', fileUri: 'https://x.y/z.png' } },
    ])
  })

  for (const [what, part, expected] of [
    [
      'an image without an ending',
      { type: 'image', source: { from: 'url', url: 'https://x.y/z' } },
      ['image/jpeg', 'https://x.y/z'],
    ],
    ['a file', { type: 'file', source: { from: 'url', url: 'https://x.y/z.csv' } }, ['text/csv', 'https://x.y/z.csv']],
    [
      'a file without an ending',
      { type: 'file', source: { from: 'url', url: 'gs://x/z' } },
      ['application/pdf', 'gs://x/z'],
    ],
  ] as const) {
    it(`guesses what ${what} is`, () => {
      const [mimeType, fileUri] = expected
      assert.deepEqual(contents([part], 'user')[0]!['parts'][1], { fileData: { mimeType, fileUri } })
    })
  }

  it('tells texts that are files with their names', () => {
    const part: Part = { type: 'file', source: { from: 'text', text: 'body' }, filename: 'a.txt' }
    assert.deepEqual(contents([part], 'user')[0]!['parts'][1], { text: 'a.txt\n\nbody' })
  })

  it('refuses files of others', () => {
    assert.throws(() => contents([{ type: 'file', source: { from: 'file', id: 'file-1' } }], 'user'), {
      code: 'unsupported_endpoint',
      param: 'messages',
    })
  })

  it('says lone surrogates', () => {
    const { body, json } = encode(
      request({ messages: [{ role: 'user', content: [{ type: 'text', text: 'a\ud800' }] }] }),
    )
    assert.ok(body.includes('a\\ud800'))
    assert.equal(json['contents'][0].parts[0].text, 'a\ud800')
  })
})

describe('signatures', () => {
  const signed = (origin: 'gemini' | 'messages') => ({ origin, value: 'S' })

  it('of others, and thoughts without one, are left out', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 't', signature: signed('messages') },
      { type: 'reasoning', text: 't', signature: null },
      { type: 'reasoning', text: '', signature: null, redacted: 'r' },
      { type: 'text', text: 'a' },
    ]
    assert.deepEqual(contents(parts)[1], { role: 'model', parts: [{ text: 'a' }] })
  })

  it('go back to the text before them, else to the one after', () => {
    const sign: Part = { type: 'reasoning', text: '', signature: signed('gemini') }
    const said: Part = { type: 'text', text: 'a' }
    const expected = { role: 'model', parts: [{ text: 'a', thoughtSignature: 'S' }] }
    assert.deepEqual(contents([said, sign])[1], expected)
    assert.deepEqual(contents([sign, said])[1], expected)
    assert.deepEqual(contents([sign])[1]!['parts'], [{ text: '', thoughtSignature: 'S' }])
    assert.deepEqual(contents([sign, call('f', { signature: signed('gemini') })])[1]!['parts'], [
      { text: '', thoughtSignature: 'S' },
      { functionCall: { id: 'id-f', name: 'f', args: {} }, thoughtSignature: 'S' },
    ])
  })

  it('are made up for the first call of a turn that has none, of models that want them', () => {
    const signatures = (content: readonly Part[], model = GEMINI_3): unknown[] =>
      contents(content, 'assistant', model)[1]!['parts'].map(({ thoughtSignature }: Json) => thoughtSignature)
    const dummy = 'skip_thought_signature_validator'
    assert.deepEqual(signatures([call('f'), call('g')]), [dummy, undefined])
    assert.deepEqual(signatures([call('f', { signature: signed('gemini') }), call('g')]), ['S', undefined])
    assert.deepEqual(signatures([call('f', { signature: signed('messages') })], 'gemini-flash-latest'), [dummy])
    assert.deepEqual(signatures([call('f')], 'gemini-2.5-pro'), [undefined])
  })
})
