/** What makes no sense, or too much of it: a clear error in the client's own API, or an answer. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Answer } from '../helpers/http.ts'
import { PATHS, question, TALKERS, type Talker } from './dialects/clients.ts'
import { assertTold } from './dialects/error-forms.ts'
import { aliasOf, strictAliasOf, type Kind } from './dialects/kinds.ts'
import { nested } from './dialects/nested.ts'
import { speaking } from './dialects/provider.ts'
import type { Json } from './dialects/said.ts'
import { useDialects } from './dialects/scene.ts'
import { PARAMETERS } from './dialects/tools.ts'

const scene = useDialects()

/** A translated provider for each client. */
const KINDS: Readonly<Record<Talker, readonly Kind[]>> = {
  chat: ['ANTHROPIC', 'GEMINI', 'BEDROCK', 'OPENAI_RESPONSES'],
  responses: ['ANTHROPIC', 'GEMINI', 'BEDROCK', 'OPENAI_COMPATIBLE'],
  messages: ['GEMINI', 'BEDROCK', 'OPENAI_COMPATIBLE', 'OPENAI_RESPONSES'],
}

function asking(client: Talker, kind: Kind, more: object | string, alias = aliasOf(kind)): Promise<Answer> {
  scene.upstream.otherwise = speaking()
  const body = typeof more === 'string' ? more : question(client, alias, more as Readonly<Record<string, unknown>>)
  return scene.post(PATHS[client], body)
}

/** Messages, or items, each client has them its own way. */
function talk(client: Talker, messages: readonly Json[]): object {
  return client === 'responses' ? { input: messages } : { messages }
}

const NO_IMAGE = 'data:image/png;base64,%%%%'

const IMAGES: Readonly<Record<Talker, (url: string) => Json>> = {
  chat: (url) => ({ type: 'image_url', image_url: { url } }),
  responses: (url) => ({ type: 'input_image', image_url: url }),
  messages: (url) =>
    url.startsWith('data:')
      ? { type: 'image', source: { type: 'base64', media_type: 'image/png', data: url.split(',')[1] } }
      : { type: 'image', source: { type: 'url', url } },
}

function tool(client: Talker, name: string, parameters: Json): Json {
  if (client === 'chat') return { type: 'function', function: { name, parameters } }
  if (client === 'responses') return { type: 'function', name, parameters, strict: false }
  return { name, input_schema: parameters }
}

const RESULTS: Readonly<Record<Talker, Json>> = {
  chat: { role: 'tool', tool_call_id: 'call_1', content: 'ok' },
  responses: { type: 'function_call_output', call_id: 'call_1', output: 'ok' },
  messages: { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'ok' }] },
}

const user = (content: unknown): Json => ({ role: 'user', content })

/** What is refused, whoever it is meant for. */
const WRONG: Readonly<Record<string, (client: Talker) => object>> = {
  'a role that there is not': (client) => talk(client, [user('Hi'), { role: 'narrator', content: 'Once.' }]),
  'a role that is a number': (client) => talk(client, [{ role: 7, content: 'Once.' }]),
  'a result without its call': (client) => talk(client, [user('Hi'), RESULTS[client]]),
  'a message that is a text': (client) => talk(client, ['Hi']),
  'a message that is null': (client) => talk(client, [null]),
  'content that is a number': (client) => talk(client, [user(42)]),
  'a part that is null': (client) => talk(client, [user([null])]),
  'a part of no type': (client) => talk(client, [user([{ text: 'Hi' }])]),
  'an image that is none': (client) => talk(client, [user([IMAGES[client](NO_IMAGE)])]),
  'an image whose URL is none': (client) => talk(client, [user([IMAGES[client]('nowhere')])]),
  'tools that are no list': () => ({ tools: 'all' }),
  'a tool without a name': (client) => ({ tools: [tool(client, '', PARAMETERS)] }),
  'a schema that is a text': (client) => ({ tools: [tool(client, 'weather', 'any')] }),
  'a temperature that is a text': () => ({ temperature: 'hot' }),
  'a limit that is a text': (client) => ({ [client === 'responses' ? 'max_output_tokens' : 'max_tokens']: 'many' }),
  'a choice of tools that there is not': () => ({ tool_choice: 'maybe' }),
}

/** What may not be left out, and no other API can say; and where it stands. */
const UNSAYABLE: Readonly<Record<Talker, Readonly<Record<string, readonly [more: object, param: RegExp]>>>> = {
  chat: {
    'a file that was uploaded': [{ messages: [user([{ type: 'file', file: { file_id: 'file-1' } }])] }, /^messages/],
  },
  responses: {
    'the response before': [{ previous_response_id: 'resp_1' }, /^previous_response_id$/],
    'work in the background': [{ background: true }, /^background$/],
    'a conversation that is kept': [{ conversation: 'conv_1' }, /^conversation$/],
    'a prompt that is kept': [{ prompt: { id: 'pmpt_1' } }, /^prompt$/],
    'an item that is kept': [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, /^input/],
    'a file that was uploaded': [{ input: [user([{ type: 'input_file', file_id: 'file-1' }])] }, /^input/],
  },
  messages: {
    'a file that was uploaded': [
      { messages: [user([{ type: 'document', source: { type: 'file', file_id: 'file_1' } }])] },
      /^messages/,
    ],
  },
}

const BIG = 2 * 1024 * 1024

/** What is unusual, and answered. */
const ODD: Readonly<Record<string, (client: Talker) => object>> = {
  'a system prompt of 2 MB': (client) => {
    const text = 'é'.repeat(BIG / 2)
    if (client === 'messages') return { system: text }
    if (client === 'responses') return { instructions: text }
    return talk(client, [{ role: 'system', content: text }, user('Hi')])
  },
  '500 tools': (client) => ({
    tools: Array.from({ length: 500 }, (_, index) => tool(client, `tool_${index}`, PARAMETERS)),
  }),
  'texts that are empty': (client) => talk(client, [user(''), user('Hi')]),
  'lone surrogates': (client) => talk(client, [user('a\ud800b\udc00')]),
  'names of members that objects have': (client) => ({
    tools: [
      tool(
        client,
        'weather',
        JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}'),
      ),
    ],
  }),
  'parameters that are null': () => ({ temperature: null, top_p: null, metadata: null }),
  'many turns': (client) =>
    talk(
      client,
      Array.from({ length: 2_000 }, (_, index) => ({
        role: index % 2 === 0 ? 'user' : 'assistant',
        content: `${index}`,
      })).concat([user('Hi')]),
    ),
  'several messages of one role': (client) => talk(client, [user('One'), user('Two'), user('Three')]),
}

for (const client of TALKERS) {
  for (const kind of KINDS[client]) {
    describe(`${client} to ${kind}`, () => {
      for (const [name, make] of Object.entries(WRONG)) {
        test(`${name} is refused`, async () => {
          const asked = scene.upstream.requests.length
          const answer = await asking(client, kind, make(client))
          const error = assertTold(client, answer, 400)
          if (client !== 'messages')
            assert.equal(typeof error.param, 'string', `the error says what is wrong: ${answer.text}`)
          assert.equal(scene.upstream.requests.length, asked, 'no provider is asked')
        })
      }

      for (const [name, [more, param]] of Object.entries(UNSAYABLE[client])) {
        // OpenAI's own files are at OpenAI, whichever of its APIs tells of them.
        if (kind.startsWith('OPENAI') && name.startsWith('a file')) continue
        test(`${name} cannot be said`, async () => {
          const answer = await asking(client, kind, more)
          const error = assertTold(client, answer, 400)
          if (client === 'messages') return
          assert.equal(error.code, 'unsupported_endpoint', answer.text)
          assert.match(error.param, param)
        })
      }

      for (const [name, make] of Object.entries(ODD)) {
        test(`${name}: answered`, async () => {
          const answer = await asking(client, kind, make(client))
          assert.equal(answer.status, 200, answer.text.slice(0, 1_000))
          assert.ok(scene.upstream.last.json !== undefined, 'the provider gets JSON')
        })
      }

      for (const depth of [100, 10_000, 200_000]) {
        test(`a schema nested ${depth} deep: answered or refused`, async () => {
          const body = JSON.stringify(question(client, aliasOf(kind), { tools: [tool(client, 'deep', 'HERE')] }))
          const answer = await asking(client, kind, body.replace('"HERE"', nested(depth)))
          if (depth === 100) assert.equal(answer.status, 200, answer.text)
          if (answer.status !== 200) assertTold(client, answer, 400)
        })
      }

      test('ids of any length', async () => {
        const id = `call_${'x'.repeat(100_000)}-é.:/`
        const talks: Readonly<Record<Talker, Json[]>> = {
          chat: [
            {
              role: 'assistant',
              tool_calls: [{ id, type: 'function', function: { name: 'weather', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: id, content: 'ok' },
          ],
          responses: [
            { type: 'function_call', call_id: id, name: 'weather', arguments: '{}' },
            { type: 'function_call_output', call_id: id, output: 'ok' },
          ],
          messages: [
            { role: 'assistant', content: [{ type: 'tool_use', id, name: 'weather', input: {} }] },
            { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] },
          ],
        }
        const answer = await asking(client, kind, talk(client, [user('Hi'), ...talks[client]]))
        if (answer.status !== 200) assertTold(client, answer, 400)
      })

      test('a parameter that nobody knows is dropped, and said so', async () => {
        const answer = await asking(client, kind, { unheard_of: 1 })
        assert.equal(answer.status, 200, answer.text)
        assert.match(String(answer.headers['x-millrace-dropped-params']), /\bunheard_of\b/)
        assert.ok(!scene.upstream.last.body.includes('unheard_of'))
      })

      test('or refused, where the alias has it so', async () => {
        const asked = scene.upstream.requests.length
        const answer = await asking(client, kind, { unheard_of: 1 }, strictAliasOf(kind))
        const error = assertTold(client, answer, 400)
        if (client !== 'messages') assert.deepEqual([error.code, error.param], ['param_not_allowed', 'unheard_of'])
        assert.equal(scene.upstream.requests.length, asked)
        assert.equal((await asking(client, kind, {}, strictAliasOf(kind))).status, 200)
      })
    })
  }

  test(`${client}: what is no JSON, and what is no object`, async () => {
    for (const body of ['{"model":', '[]', '"text"', 'null', '{"model":"at-gemini"}', '{}']) {
      assertTold(client, await asking(client, 'GEMINI', body), 400)
    }
    assertTold(client, await scene.post(PATHS[client], question(client, 'no-such-model')), 404)
  })
}
