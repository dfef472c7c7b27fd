/** Real answers of real providers, read whole and as streams that come cut anywhere. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

import type { StreamPart } from '../../canonical/answer.ts'
import { eventData, EventSplitter } from '../../stream/events.ts'
import { chatWire } from './wire.ts'

const FOLDER = new URL('../../../../../../shared/recordings/', import.meta.url)
const skip = existsSync(FOLDER) ? false : 'the recordings are not beside this checkout (../shared/recordings)'
const ENCODING = { dropped: [], answerTool: null, memo: null }

const files = skip
  ? []
  : ['azure', 'deepseek', 'groq', 'mistral', 'openai'].flatMap((provider) =>
      readdirSync(new URL(provider, FOLDER)).map((name) => `${provider}/${name}`),
    )
const isChat = (text: string): boolean => /"object":\s?"chat.completion/.test(text)
const read = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8')

function partsOf(lines: readonly string[], size: number): StreamPart[] {
  const bytes = Buffer.from([...lines, '[DONE]'].map((line) => `data: ${line}\n\n`).join(''))
  const splitter = new EventSplitter()
  const reader = chatWire().reader(ENCODING)
  const parts: StreamPart[] = []
  for (let at = 0; at < bytes.length; at += size) {
    splitter.pushBytes(bytes.subarray(at, at + size))
    while (splitter.next()) {
      const data = eventData(splitter.text.slice(splitter.start, splitter.end))!
      parts.push(...reader.take(Buffer.from(data, 'latin1').toString('utf8'), ''))
    }
  }
  return [...parts, ...reader.close()]
}

describe('recordings', { skip }, () => {
  for (const file of files.filter((each) => each.endsWith('.chunks.txt') && isChat(read(each)))) {
    it(`${file} says all that its chunks do`, () => {
      const lines = read(file).split('\n').filter(Boolean)
      const parts = partsOf(lines, 1_000_000)
      for (const size of [1, 7, 1_021]) assert.deepEqual(partsOf(lines, size), parts)
      const chunks = lines.map((line) => JSON.parse(line))
      const said = (name: string): string => chunks.map(({ choices }) => choices[0]?.delta[name] ?? '').join('')
      const told = (type: string): string =>
        parts.map((part) => (part.type === type && 'text' in part ? part.text : '')).join('')
      assert.equal(told('text'), said('content'))
      assert.equal(told('reasoning'), said('reasoning_content') || said('reasoning'))
      const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
      assert.equal(told('arguments'), calls.map((call) => call.function.arguments ?? '').join(''))
      const usage = chunks.findLast((chunk) => chunk.usage)?.usage
      const last = parts.findLast((part) => part.type === 'usage')
      assert.deepEqual(
        last && [last.usage.inputTokens, last.usage.outputTokens],
        usage && [usage.prompt_tokens, usage.completion_tokens],
      )
      assert.equal(parts.at(-1)!.type, 'done')
    })
  }

  for (const file of files.filter((each) => each.endsWith('.json') && isChat(read(each)))) {
    it(`${file} says all that it does`, () => {
      const answer = JSON.parse(read(file))
      const canonical = chatWire().read(answer, ENCODING)
      assert.ok(canonical?.kind === 'chat')
      const [{ content, finish }] = canonical.choices as [(typeof canonical.choices)[number]]
      const [{ message, finish_reason: reason }] = answer.choices
      const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('')
      assert.equal(text, message.content ?? '')
      assert.deepEqual(
        content.flatMap((part) => (part.type === 'tool_call' ? [[part.id, part.name, part.arguments]] : [])),
        (message.tool_calls ?? []).map((call: any) => [call.id, call.function.name, call.function.arguments]),
      )
      assert.equal(finish.own, reason)
      assert.equal(canonical.usage!.inputTokens, answer.usage.prompt_tokens)
    })
  }
})
