/** Real providers' answers in their other form, and what the official SDK makes of the same events. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'

import OpenAI from 'openai'

import { utf8FromLatin1 } from '../../stream/json.ts'
import { foldChatStream } from './fold.ts'
import { chatCallsTools } from './tools.ts'
import { unfoldChatAnswer } from './unfold.ts'

const FOLDER = new URL('../../../../../../shared/recordings/', import.meta.url)
const skip = existsSync(FOLDER) ? false : 'there are no recordings beside this checkout (../shared/recordings)'
/** Its tool calls have no index and no type: the SDK refuses them. */
const MISTRAL_CALLS = 'mistral/mistral-tool-call'

function recordings(suffix: string, object: string): { name: string; text: string }[] {
  if (skip) return []
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'latin1') }))
    .filter(({ text }) => new RegExp(`"object":\\s*"${object}"`).test(text))
    .sort((a, b) => a.name.localeCompare(b.name))
}

const STREAMS = recordings('.chunks.txt', 'chat\\.completion\\.chunk').map(({ name, text }) => ({
  name,
  events: [...text.split('\n').filter((line) => line !== '' && line !== '[DONE]'), '[DONE]']
    .map((data) => `data: ${data}\n\n`)
    .join(''),
}))
const ANSWERS = recordings('.json', 'chat\\.completion')

const read = (text: string | null): any => {
  assert.ok(text !== null, 'it has another form')
  return JSON.parse(utf8FromLatin1(text))
}

/**
 * What the SDK leaves or puts where nothing was said; the padding, which it takes for a part of the answer; and the
 * reasoning, of which it keeps the last piece.
 */
function asSdkTells({ obfuscation: _, ...answer }: any): any {
  answer.system_fingerprint ??= null
  for (const choice of answer.choices) {
    const { message } = choice
    choice.logprobs ??= null
    message.content ||= null
    message.refusal ??= null
    for (const { function: called } of message.tool_calls ?? []) delete called?.parsed_arguments
    for (const name of ['parsed', 'tool_calls']) if ((message[name]?.length ?? 0) === 0) delete message[name]
    delete message.reasoning_content
  }
  return answer
}

/** All pieces of one text of the first choice. */
function joined(events: string, name: string): string {
  const chunks = events.split('\n\n').filter((event) => event.startsWith('data: {'))
  return chunks.map((event) => JSON.parse(utf8FromLatin1(event.slice(6))).choices[0]?.delta?.[name] ?? '').join('')
}

describe('recorded answers', { skip }, () => {
  let events = ''
  const server = createServer((req, res) => {
    req.resume()
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(events, 'latin1')
  })
  let client: OpenAI
  before(async () => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    client = new OpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 })
  })
  after(() => server.close())

  async function gatheredBySdk(told: string): Promise<any> {
    events = told
    const messages = [{ role: 'user' as const, content: 'Say hello.' }]
    return asSdkTells(await client.chat.completions.stream({ model: 'm', messages }).finalChatCompletion())
  }

  it("have Mistral's tool calls in both forms", () => {
    const of = (list: readonly { name: string }[]): any => list.find(({ name }) => name.startsWith(MISTRAL_CALLS))
    const answer = of(ANSWERS).text
    const calls = ({ choices: [{ message }] }: any) => message.tool_calls
    assert.deepEqual(calls(read(foldChatStream(of(STREAMS).events))), calls(read(answer)))
    assert.deepEqual(calls(read(foldChatStream(unfoldChatAnswer(answer)!.events))), calls(read(answer)))
  })

  it('are there', () => assert.ok(STREAMS.length >= 8 && ANSWERS.length >= 7))

  for (const { name, events: told } of STREAMS) {
    if (!name.startsWith(MISTRAL_CALLS)) {
      it(`${name}: is put together as the SDK does it`, async () => {
        assert.deepEqual(asSdkTells(read(foldChatStream(told))), await gatheredBySdk(told))
      })
    }

    it(`${name}: keeps every text`, () => {
      const [{ message }] = read(foldChatStream(told)).choices
      for (const text of ['content', 'reasoning_content']) assert.equal(message[text] ?? '', joined(told, text))
    })

    it(`${name}: comes back from both forms`, async () => {
      const answer = foldChatStream(told)
      const { events: again } = unfoldChatAnswer(answer!)!
      assert.deepEqual(read(foldChatStream(again)), read(answer))
      const stream = { ends: [], at: [], usagePart: -1 }
      const calls = read(answer).choices.some(({ message }: any) => message.tool_calls?.length > 0)
      assert.equal(chatCallsTools(told, stream), calls)
      assert.equal(chatCallsTools(again, stream), calls)
      assert.equal(chatCallsTools(answer!, null), calls)
    })
  }

  for (const { name, text } of ANSWERS.filter((answer) => !answer.name.startsWith(MISTRAL_CALLS))) {
    it(`${name}: reaches the SDK's stream as it is`, async () => {
      const { events: told } = unfoldChatAnswer(text)!
      const answer = asSdkTells(read(text))
      for (const { message } of answer.choices) for (const call of message.tool_calls ?? []) delete call.index
      assert.deepEqual(asSdkTells(read(foldChatStream(told))), answer)
      assert.deepEqual(await gatheredBySdk(told), answer)
    })
  }
})
