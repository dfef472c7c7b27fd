import assert from 'node:assert/strict'
import { test } from 'node:test'

import { responses } from './responses.ts'

function parse(body: object, more = '') {
  return responses.parse(Buffer.from(`${JSON.stringify({ model: 'alias', ...body }).slice(0, -1)}${more}}`))
}

test('a response is kept by its provider unless that is told not to', () => {
  for (const [body, kept] of [
    [{}, true],
    [{ store: null }, true],
    [{ store: true }, true],
    [{ store: false }, false],
    [{ store: false, conversation: { id: 'c' } }, true],
    [{ store: false, background: true }, true],
  ] as const) {
    assert.equal(parse(body).keepsState, kept, JSON.stringify(body))
  }
})

test('whom it is for, and in which conversation', () => {
  assert.equal(parse({ safety_identifier: 'ann' }).user, 'ann')
  assert.equal(parse({ conversation: { id: 'conv_1' } }).conversation, 'conv_1')
  assert.equal(parse({ conversation: 'conv_1', prompt_cache_key: 'k' }).conversation, 'k')
  assert.equal(parse({}).conversation, null)
})

test('what conditions ask of it', () => {
  const image = { type: 'input_image', image_url: 'https://a.example/a.png' }
  assert.deepEqual(parse({ input: 'x', max_output_tokens: 7, tools: [{}] }).features(), {
    maxTokens: 7,
    tools: true,
    images: false,
  })
  assert.equal(parse({ input: [{ role: 'user', content: [image] }] }).features().images, true)
  assert.equal(parse({ input: [{ type: 'function_call_output', output: [image] }] }).features().images, true)
  assert.equal(parse({ max_output_tokens: 7 }).maxOutputTokens, 7)
})

test('schemas keep the spelling of their numbers', () => {
  const call = parse({ input: 'x' }, ',"tools":[{"type":"function","name":"f","parameters":{"maximum":1.0e2}}]')
  const request = call.canonical()
  assert.ok(request.kind === 'chat')
  assert.match(JSON.stringify(request.tools), /"maximum":1\.0e2/)
})

test('thoughts of other providers are cut out of the body, and nothing else is touched', () => {
  const foreign = '{"type":"reasoning","encrypted_content":"mr1.gemini.x"}'
  const body = (items: string): string => `{"model":"alias","top_p":1.0,"input":[${items}],"later":1e2}`
  const call = responses.parse(Buffer.from(body(`{"role":"user","content":"x"},${foreign}`)))
  assert.equal(call.encode('alias').toString(), body('{"role":"user","content":"x"}'))
})

test('what is nested deeper than can be read is refused, and no fault of ours', () => {
  const deep = '['.repeat(50_000) + ']'.repeat(50_000)
  const foreign = '{"type":"reasoning","encrypted_content":"mr1.gemini.x"}'
  const call = responses.parse(Buffer.from(`{"model":"m","input":[${foreign},{"number":1e3,"deep":${deep}}]}`))
  assert.throws(() => call.encode('m'), { code: 'param_not_allowed', param: 'input' })
  const schema = responses.parse(Buffer.from(`{"model":"m","input":"x","text":{"number":1e3,"deep":${deep}}}`))
  assert.throws(() => schema.canonical(), { code: 'param_not_allowed' })
})

test('an answer reports an error by a member of its own, not by what it repeats', () => {
  const tools = '"tools":[{"parameters":{"properties":{"error":{"type":"string"}}}}]'
  const ended = `event: response.completed\ndata: {"type":"response.completed","response":{"error":null,${tools}}}\n\n`
  for (const body of [`{"error":null,${tools}}`, `{${tools}}`, ended]) assert.equal(responses.reportsError(body), false)
  for (const body of [
    `{${tools},"error":{"code":"x"}}`,
    ' {"error":"x"}',
    `event: error\ndata: {}\n\n${ended}`,
    `data: {"error":{"message":"x"}}\n\n${ended}`,
    `data: {"a":1,"type":"error"}\n\n${ended}`,
    `data: {"type":"response.failed","response":{}}\n\n`,
  ])
    assert.equal(responses.reportsError(body), true, body)
})
