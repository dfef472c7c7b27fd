import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { BodyEdits } from '../../translation/body-edits.ts'
import type { Asking } from '../../translation/translation.ts'
import { MessageEdits, type MessageQuirks } from './native-messages.ts'
import { toolIdFor } from './tool-ids.ts'
import { BETWEEN } from './write-messages.ts'

type Json = any

const NONE: MessageQuirks = { developer: true, names: 'any', toolIds: 'any', userAfterTool: true, dropInMessages: [] }
const MISTRAL: MessageQuirks = {
  developer: false,
  names: 'tool',
  toolIds: 'nine',
  userAfterTool: false,
  dropInMessages: ['reasoning', 'refusal'],
}
const CALL = 'call_abcdefghijklmnopqrstuvwx'
const NINE = toolIdFor(CALL, 'nine')

function applied(body: Buffer, quirks: MessageQuirks = MISTRAL): Buffer {
  const asking = { dropped: [] } as unknown as Asking
  const after = new BodyEdits({ rename: {}, drop: [], within: new MessageEdits(quirks) }).apply(body, asking)
  assert.deepEqual(asking.dropped, [], 'nobody is told')
  return after
}

function edited(messages: string, quirks: MessageQuirks = MISTRAL): string {
  const body = applied(Buffer.from(`{"model":"m","messages":${messages}}`), quirks).toString()
  return body.slice('{"model":"m","messages":'.length, -1)
}

describe('messages that go as they came', () => {
  for (const [what, messages, expected] of [
    ['a developer’s role', '[{"content":"a", "role" : "developer" }]', '[{"content":"a", "role" : "system" }]'],
    ['one that is spelt oddly', '[{"rol\\u0065":"developer"}]', '[{"rol\\u0065":"system"}]'],
    ['a name at the end', '[{"role":"user", "name":"é" }]', '[{"role":"user" }]'],
    ['a name at the beginning', '[ { "name":null, "role":"user"}]', '[ { "role":"user"}]'],
    ['each of two names', '[{"name":"a","role":"assistant","name":"b"}]', '[{"role":"assistant"}]'],
    [
      'what answers of others have',
      '[{"refusal":null,"role":"assistant","content":"a", "reasoning":"b","reasoning":"é","name":"c" },{"refusal":null}, { "role":"assistant", "name":"a","refusal":"b","name":"c"}]',
      '[{"role":"assistant","content":"a" },{}, { "role":"assistant"}]',
    ],
    [
      'ids of calls and of their results',
      `[{"role":"assistant","tool_calls":[ {"id" : "${CALL}","function":{"name":"f"}},{"id":"123456789"}]},{"role":"tool","tool_call_id":"${CALL}","content":1.50}]`,
      `[{"role":"assistant","tool_calls":[ {"id" : "${NINE}","function":{"name":"f"}},{"id":"123456789"}]},{"role":"tool","tool_call_id":"${NINE}","content":1.50}]`,
    ],
    [
      'ids by what they mean, not by how they are spelt',
      `[{"role":"tool","tool_call_id":"${CALL.replace('_', '\\u005f')}"}]`,
      `[{"role":"tool","tool_call_id":"${NINE}"}]`,
    ],
    [
      'an id that is not ASCII',
      '[{"role":"tool","tool_call_id":"é"},{"role":"tool","tool_call_id":"\\u00e9"}]',
      `[{"role":"tool","tool_call_id":"${toolIdFor('é', 'nine')}"},{"role":"tool","tool_call_id":"${toolIdFor('é', 'nine')}"}]`,
    ],
    [
      'the user right after a tool',
      '[{"role":"tool"} , {"role":"user"},{"role":"user"}]',
      `[{"role":"tool"} , {"role":"assistant","content":"${BETWEEN}"},{"role":"user"},{"role":"user"}]`,
    ],
  ] as const) {
    it(`have ${what} put right, and keep the rest`, () => {
      assert.equal(edited(messages), expected)
    })
  }

  for (const [what, messages] of [
    ['what breaks no rule', '[{"role":"system"},{"role":"tool","name":"f","tool_call_id":"123456789"}, 1.0]'],
    [
      'names of functions',
      '[{"role":"assistant","tool_calls":[{"function":{"name":"f"}}]},{"role":"function","name":"f"}]',
    ],
    ['names of parts', '[{"role":"user","content":[{"type":"file","name":"a","role":"developer","refusal":"b"}]}]'],
    ['a refusal that is a part', '[{"role":"assistant","content":[{"type":"refusal","refusal":"a"}]}]'],
    ['texts that look like it', '[{"role":"user","content":"{\\"role\\":\\"developer\\",\\"name\\":\\"a\\"}"}]'],
    ['messages that are none', '["developer","name",["tool"],null,{"name":"a"},{"role":["tool"],"name":"a"},{}]'],
    [
      'calls that are none',
      '[{"role":"tool","tool_calls":{"id":"a"},"tool_call_id":5},{"tool_calls":["a",{"id":null}]}]',
    ],
    ['no list of them', '{"role":"developer"}'],
    ['the developer’s role that another is meant by', '[{"role":"developer","role":"user"}]'],
  ] as const) {
    it(`keep ${what}`, () => {
      const body = Buffer.from(`{"messages":${messages}}`)
      assert.equal(applied(body), body)
    })
  }

  it('stay as they are where there are two lists of them, or none', () => {
    const messages = '[{"role":"developer"}]'
    for (const text of [
      `{"messages":${messages},"messages":${messages}}`,
      `{"a":${messages}}`,
      messages,
      '"developer"',
    ]) {
      const body = Buffer.from(text)
      assert.equal(applied(body), body)
    }
  })

  it('are edited for what the provider has as a rule only', () => {
    const messages = `[{"role":"developer","name":"a"},{"role":"user","name":"b"},{"role":"tool","name":"c","tool_call_id":"${CALL}"},{"role":"user"}]`
    assert.equal(new MessageEdits(NONE).some, false)
    assert.equal(edited(messages, NONE), messages)
    assert.equal(edited(messages, { ...NONE, developer: false }), messages.replace('developer', 'system'))
    assert.equal(
      edited(messages, { ...NONE, names: 'user' }),
      messages.replace(',"name":"a"', '').replace('"name":"c",', ''),
    )
    assert.equal(
      edited(messages, { ...NONE, names: 'tool' }),
      messages.replace(',"name":"a"', '').replace(',"name":"b"', ''),
    )
    assert.equal(edited(messages, { ...NONE, toolIds: 'nine' }), messages.replace(CALL, NINE))
    const after = '[{"role":"tool"},{"role":"user"}]'
    assert.equal(
      edited(after, { ...NONE, userAfterTool: false }),
      after.replace(',', `,{"role":"assistant","content":"${BETWEEN}"},`),
    )
    const thought = '[{"role":"assistant","reasoning":"a","refusal":null}]'
    assert.equal(edited(thought, { ...NONE, dropInMessages: ['reasoning'] }), '[{"role":"assistant","refusal":null}]')
  })

  it('may be nested deep, and many', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    assert.equal(edited(`[{"role":"developer","content":${deep}}]`), `[{"role":"system","content":${deep}}]`)
    const many = Array.from({ length: 200_000 }, () => '{"role":"developer","name":"a"}')
    assert.equal(edited(`[${many.join(',')}]`), `[${many.map(() => '{"role":"system"}').join(',')}]`)
  })

  it('are edited beside other members of the body', () => {
    const edits = new BodyEdits({
      rename: { seed: 'random_seed' },
      drop: ['user'],
      within: new MessageEdits(MISTRAL),
    })
    const asking = { dropped: [] } as unknown as Asking
    const body = '{"seed":1,"messages":[{"role":"developer"}],"user":"u"}'
    assert.equal(edits.apply(Buffer.from(body), asking).toString(), '{"random_seed":1,"messages":[{"role":"system"}]}')
    assert.deepEqual(asking.dropped, ['user'])
  })
})

/** What becomes of a parsed body, said the plain way. */
function reference(body: Json, rules: MessageQuirks): Json {
  const { developer, names, toolIds, userAfterTool, dropInMessages } = rules
  if (!Array.isArray(body.messages)) return body
  const isMessage = (value: Json): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
  const idOf = (id: Json): Json => (typeof id === 'string' ? toolIdFor(id, toolIds) : id)
  const messages: Json[] = []
  let before: unknown
  for (const message of body.messages) {
    const role = isMessage(message) && typeof message.role === 'string' ? message.role : null
    if (role === 'user' && before === 'tool' && !userAfterTool) messages.push({ role: 'assistant', content: BETWEEN })
    before = role
    messages.push(message)
    if (!isMessage(message)) continue
    if (role === 'developer' && !developer) message.role = 'system'
    if (role !== null && role !== 'function' && names !== 'any' && role !== names) delete message.name
    for (const name of dropInMessages) delete message[name]
    if ('tool_call_id' in message) message.tool_call_id = idOf(message.tool_call_id)
    if (!Array.isArray(message.tool_calls)) continue
    for (const call of message.tool_calls) if (isMessage(call) && 'id' in call) call.id = idOf(call.id)
  }
  return { ...body, messages }
}

/** JSON as somebody else may write it: other spaces, escapes that are not needed, members that come twice. */
function written(value: Json, next: () => number): string {
  const space = (): string => ['', '', '', ' ', '\n\t'][next() % 5]!
  const spelt = (text: string): string =>
    JSON.stringify(text).replace(/[a-z]/gi, (letter, at: number, all: string) =>
      all[at - 1] === '\\' || /\\u[0-9a-f]{0,3}$/i.test(all.slice(Math.max(0, at - 5), at)) || next() % 20 > 0
        ? letter
        : `\\u00${letter.charCodeAt(0).toString(16)}`,
    )
  if (typeof value === 'string') return spelt(value)
  if (Array.isArray(value))
    return `[${value.map((item) => space() + written(item, next) + space()).join(',')}${space()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
  const twice = entries.slice(0, next() % 10 === 0 ? 1 : 0).map(([name]): [string, Json] => [name, 'developer'])
  const members = [...twice, ...entries].map(
    ([name, member]) => `${space()}${spelt(name)}${space()}:${space()}${written(member, next)}${space()}`,
  )
  return `{${members.join(',')}${space()}}`
}

describe('any messages', () => {
  const ids = fc.oneof(fc.constantFrom(CALL, '123456789', 'é"\\', ''), fc.string({ maxLength: 12 }))
  const call = fc.record(
    { id: fc.oneof(ids, fc.jsonValue()), function: fc.record({ name: fc.string(), arguments: fc.json() }) },
    { requiredKeys: [] },
  )
  const message = fc.record(
    {
      role: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool', 'function') },
        { weight: 1, arbitrary: fc.jsonValue() },
      ),
      name: fc.oneof(fc.string(), fc.jsonValue()),
      content: fc.oneof(fc.string(), fc.jsonValue()),
      tool_calls: fc.oneof(fc.array(fc.oneof(call, fc.jsonValue())), fc.jsonValue()),
      tool_call_id: fc.oneof(ids, fc.jsonValue()),
      reasoning_content: fc.oneof(fc.string(), fc.jsonValue()),
      refusal: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  const list = fc.array(fc.oneof({ weight: 9, arbitrary: message }, { weight: 1, arbitrary: fc.jsonValue() }))
  const quirks = fc.record({
    developer: fc.boolean(),
    names: fc.constantFrom('any', 'user', 'tool'),
    toolIds: fc.constantFrom('any', 'nine'),
    userAfterTool: fc.boolean(),
    dropInMessages: fc.subarray(['reasoning_content', 'refusal', 'name']),
  })
  // Beside the messages, so that needless escapes in them hide nothing.
  const MARKS = '"marks":["developer","name","tool","reasoning_content","refusal"]'

  it('come out as JSON.parse would have them, and those that break no rule as the same bytes', () => {
    fc.assert(
      fc.property(list, quirks, fc.infiniteStream(fc.nat(1_000)), (messages, rules: MessageQuirks, stream) => {
        const next = (): number => stream.next().value as number
        const body = Buffer.from(`{${MARKS},"messages":${written(messages, next)}}`)
        const sent = JSON.parse(body.toString())
        const expected = reference(structuredClone(sent), rules)
        const got = applied(body, rules)
        assert.deepEqual(JSON.parse(got.toString()), expected)
        if (JSON.stringify(expected) === JSON.stringify(sent)) assert.equal(got, body)
      }),
      { numRuns: 500 },
    )
  })

  it('are put right once: again, nothing is changed', () => {
    fc.assert(
      fc.property(list, quirks, (messages, rules: MessageQuirks) => {
        const once = applied(Buffer.from(JSON.stringify({ messages })), rules)
        assert.equal(applied(once, rules), once)
      }),
    )
  })

  it('have ids of nine letters and digits, another for another', () => {
    fc.assert(
      fc.property(fc.uniqueArray(ids, { minLength: 1 }), (some) => {
        const tool_calls = some.map((id) => ({ id }))
        const body = Buffer.from(JSON.stringify({ messages: [{ role: 'assistant', tool_calls }] }))
        const got: string[] = JSON.parse(applied(body).toString()).messages[0].tool_calls.map(({ id }: Json) => id)
        for (const id of got) assert.match(id, /^[A-Za-z0-9]{9}$/)
        assert.equal(new Set(got).size, some.length)
      }),
    )
  })
})
