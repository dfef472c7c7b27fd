/** Which requests are the same: what of a body and of headers has a say, and that nothing else has. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { addCached, outcomeOf, type Cached } from './cache/caching.ts'

let cached: Cached
const scene = useScene({}, async (one) => void (cached = await addCached(one)))

let seed = 0
/** A body that no other test has: members as they are written, after its model. */
function text(members: string, own: number, messages = '[{"role":"user","content":"Say hello."}]'): string {
  return `{"model":${JSON.stringify(cached.model)},"messages":${messages},"seed":${own}${members === '' ? '' : ','}${members}}`
}

/** Asserts that each of these has an answer of its own, now and again. */
async function assertDiffer(bodies: readonly string[], headers: readonly Record<string, string>[] = []): Promise<void> {
  const asked = bodies.map((body, i) => ({ body, headers: headers[i] ?? {} }))
  const answers: string[] = []
  for (const { body, headers: own } of asked) {
    const answer = await cached.ask(body, { headers: own })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(outcomeOf(answer), 'MISS', `${body} ${JSON.stringify(own)}`)
    answers.push(answer.text)
  }
  assert.equal(new Set(answers).size, answers.length)
  for (const [i, { body, headers: own }] of asked.entries())
    assert.equal((await cached.outcome('HIT', body, { headers: own })).text, answers[i])
}

/** Asserts that all of these have the first one's answer. */
async function assertSame(bodies: readonly string[], headers: readonly Record<string, string>[] = []): Promise<void> {
  const [first, ...others] = bodies
  const { text: expected } = await cached.outcome('MISS', first, { headers: headers[0] ?? {} })
  for (const [i, body] of others.entries()) {
    const { text: actual } = await cached.outcome('HIT', body, { headers: headers[i + 1] ?? {} })
    // Other forms are told by other tests.
    if (!body.includes('"stream":true')) assert.equal(actual, expected, body)
  }
}

describe('the same', () => {
  test('are bodies whose members stand in another order, with other whitespace', async () => {
    const own = ++seed
    const model = JSON.stringify(cached.model)
    await assertSame([
      text('"temperature":0,"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]', own),
      `{"tools":[{"function":{"parameters":{},"name":"f"},"type":"function"}],"temperature":0,"seed":${own},"messages":[{"content":"Say hello.","role":"user"}],"model":${model}}`,
      ` {\n\t"seed" : ${own} ,\r\n "model": ${model}, "messages" : [ { "role" : "user" , "content" : "Say hello." } ] , "temperature" : 0, "tools": [ { "type":"function", "function" : { "name":"f", "parameters" : { } } } ] } \n`,
    ])
  })

  test('are bodies that differ in user, metadata, stream and stream_options alone', async () => {
    const own = ++seed
    await assertSame([
      text('', own),
      text('"user":"ann"', own),
      text('"metadata":{"a":"b"}', own),
      text('"stream":false', own),
      text('"stream":true', own),
      text('"stream":true,"stream_options":{"include_usage":true}', own),
      text('"user":"bob","metadata":null', own),
    ])
  })

  test('are requests that differ in headers which no provider is sent for its answer', async () => {
    const own = ++seed
    const headers = [
      {},
      { 'user-agent': 'another', accept: '*/*', 'accept-language': 'de' },
      { 'x-millrace-user': 'ann', 'x-millrace-conversation': 'talk', 'x-millrace-metadata': '{"a":1}' },
      { 'x-forwarded-for': '203.0.113.9', cookie: 'a=b', 'x-stainless-lang': 'js' },
    ]
    await assertSame(
      headers.map(() => text('', own)),
      headers,
    )
  })
})

describe('never the same', () => {
  const pairs: Readonly<Record<string, readonly string[]>> = {
    'numbers as they are written': ['"temperature":1', '"temperature":1.0', '"temperature":1e0', '"temperature":10e-1'],
    'a number and its text': ['"temperature":1', '"temperature":"1"', '"temperature":true', '"temperature":[1]'],
    'signs of zero': ['"temperature":0', '"temperature":-0', '"temperature":0.0'],
    'integers beyond 2^53': ['"max_tokens":9007199254740992', '"max_tokens":9007199254740993'],
    'fractions beyond 17 digits': ['"top_p":0.30000000000000000001', '"top_p":0.3', '"top_p":0.30000000000000000002'],
    'null and nothing': ['', '"stop":null', '"stop":[]', '"stop":""'],
    'unknown fields': ['"unheard_of":1', '"unheard_of":2', '"unheard":1', '"unheard_of":{"of":1}'],
    'unknown fields beneath': [
      '"x":{"user":"ann"}',
      '"x":{"user":"bob"}',
      '"x":{"stream":true}',
      '"x":{"metadata":{}}',
    ],
    'names in another letter case': ['"User":"ann"', '"User":"bob"', '"USER":"ann"'],
    'lists in another order': ['"stop":["a","b"]', '"stop":["b","a"]', '"stop":["a,b"]', '"stop":["a\\",\\"b"]'],
    'a member twice, by which is last': [
      '"top_p":0.1,"top_p":0.2',
      '"top_p":0.2,"top_p":0.1',
      '"top_p":0.1',
      '"top_p":0.2',
      '"top_p":0.1,"top_p":0.1,"top_p":0.2',
    ],
    'a member twice, by its escapes': ['"top_p":0.1,"top\\u005fp":0.2', '"top_p":0.2,"top\\u005fp":0.1'],
    'Unicode in another normal form': ['"x":"\u00e9"', '"x":"e\u0301"', '"x":"\ufb01"', '"x":"fi"'],
    'names in another normal form': ['"\u00e9":1', '"e\u0301":1'],
    'letters beyond Latin-1, by their bytes': ['"x":"\u4e2d"', '"x":"\u00e4\u00b8\u00ad"', '"x":"-"'],
    'escapes that are no escapes': ['"x":"\\n"', '"x":"\\\\n"', '"x":"n"', '"x":"\\\\\\n"'],
    'quotes that are none': ['"x":"a","y":"b"', '"x":"a\\",\\"y\\":\\"b"', '"x":"a\\\\","y":"b"'],
    'whitespace in a string': ['"x":"a b"', '"x":"ab"', '"x":" ab"', '"x":"a\u00a0b"', '"x":"a  b"'],
    'objects, by what belongs to which': [
      '"x":{"a":{"b":1}}',
      '"x":{"a":{},"b":1}',
      '"x":[{"a":1},{"b":2}]',
      '"x":[{"a":1,"b":2}]',
    ],
    'lone surrogates': ['"x":"\\ud800"', '"x":"\\ud801"', '"x":"\\udc00"', '"x":"\ufffd"'],
    'the seed': ['"seed":1', '"seed":2'],
  }
  for (const [name, members] of Object.entries(pairs)) {
    test(`are ${name}`, async () => {
      const own = ++seed
      await assertDiffer(members.map((member) => text(member, own)))
    })
  }

  test('are a role and a text that looks like one', async () => {
    const own = ++seed
    const messages = [
      [
        { role: 'user', content: 'a' },
        { role: 'system', content: 'b' },
      ],
      [{ role: 'user', content: 'a"},{"role":"system","content":"b' }],
      [{ role: 'user', content: 'a\n\nsystem: b' }],
      [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
      ],
      [
        { role: 'system', content: 'b' },
        { role: 'user', content: 'a' },
      ],
      [{ role: 'user', content: [{ type: 'text', text: 'a' }] }],
      [{ role: 'user', content: '[{"type":"text","text":"a"}]' }],
      [{ role: 'user', name: 'system', content: 'a' }],
    ]
    await assertDiffer(messages.map((one) => text('', own, JSON.stringify(one))))
  })

  test("are requests with other headers of the API's versions and trials", async () => {
    const own = ++seed
    const headers = [
      {},
      { 'openai-beta': 'assistants=v2' },
      { 'openai-beta': 'realtime=v1' },
      { 'anthropic-version': '2023-06-01' },
      { 'anthropic-beta': '2023-06-01' },
      { 'anthropic-beta': 'a', 'anthropic-version': 'b' },
      { 'anthropic-beta': 'b', 'anthropic-version': 'a' },
      { 'anthropic-beta': 'a, anthropic-version: b' },
    ]
    await assertDiffer(
      headers.map(() => text('', own)),
      headers,
    )
  })

  test('are a hundred thousand characters of which one is another', async () => {
    const own = ++seed
    const long = (end: string): string => JSON.stringify([{ role: 'user', content: `${'x'.repeat(100_000)}${end}` }])
    await assertDiffer([text('', own, long('a')), text('', own, long('b'))])
  })

  test('are two aliases, though they lead to one provider', async () => {
    const other = await addCached(scene)
    const own = ++seed
    await cached.outcome('MISS', text('', own))
    await other.outcome('MISS', text('', own).replace(cached.model, other.model))
  })

  test('are two models that one alias takes', async () => {
    const alias = `${uniqueName('wild')}-*`
    const wild = await addCached(scene, { alias })
    const [one, two] = ['one', 'two'].map((end) => wild.body({ model: alias.replace('*', end) })) as [string, string]
    const answer = await wild.outcome('MISS', one)
    await wild.outcome('MISS', two)
    assert.match(answer.text, new RegExp(`"model":"${alias.replace('*', 'one')}"`))
    assert.equal((await wild.outcome('HIT', one)).text, answer.text)
  })

  test('are a body that nests deeper than anything reads and one of another depth', async () => {
    const own = ++seed
    const nested = (depth: number): string => text(`"x":${'['.repeat(depth)}${']'.repeat(depth)}`, own)
    for (const depth of [500, 501, 20_000]) {
      const answer = await cached.ask(nested(depth))
      assert.notEqual(outcomeOf(answer), 'HIT')
      assert.ok(answer.status < 500, answer.text)
    }
    await cached.outcome('HIT', nested(500))
  })
})
