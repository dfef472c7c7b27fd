/** What Anthropic has really answered, read and said again. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import type { ChatAnswer } from '../../canonical/answer.ts'
import type { Part } from '../../canonical/content.ts'
import { messagesWriter } from './answer-write.ts'
import { ENCODING, latin1, partsOf, said, SAYING, utf8, whole } from './answers.fixture.ts'
import { unfoldMessage } from './unfold.ts'
import { messagesWire } from './wire.ts'

const FOLDER = new URL('../../../../../../shared/recordings/anthropic/', import.meta.url)
const skip = existsSync(FOLDER) ? false : 'there are no recordings beside this checkout (../shared/recordings)'

function recorded(suffix: string): { name: string; text: string }[] {
  if (skip) return []
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(suffix))
    .map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }))
}

/** What an answer says, without what only its ids tell. */
function contentOf(parts: readonly Part[]): unknown {
  return parts.map((part) => (part.type === 'tool_call' ? [part.name, JSON.parse(part.arguments || '{}')] : part))
}

describe('what Anthropic has really answered', { skip }, () => {
  for (const { name, text } of recorded('.chunks.txt')) {
    test(`${name} is read and said again, cut at odd bytes`, () => {
      const events = text
        .trim()
        .split('\n')
        .map((data) => `data: ${data}\n\n`)
        .join('')
      const parts = partsOf(events, [7, 1, 13])
      assert.equal(parts.at(-1)!.type, 'done')
      const before = messagesWire.read(whole(events), ENCODING) as ChatAnswer
      const again = messagesWire.read(whole(said(parts)), ENCODING) as ChatAnswer
      const [choice, other] = [before.choices[0]!, again.choices[0]!]
      const refused = choice.content.map((part) => (part.type === 'refusal' ? { type: 'text', text: part.text } : part))
      assert.deepEqual(contentOf(other.content), contentOf(refused as Part[]))
      assert.deepEqual(other.finish, choice.finish)
      assert.deepEqual(again.usage, before.usage)
    })
  }

  for (const { name, text } of recorded('.json')) {
    test(`${name} is read and said again, and unfolds into the same`, () => {
      const answer = messagesWire.read(JSON.parse(text), ENCODING) as ChatAnswer
      assert.equal(answer.kind, 'chat')
      const unfolded = unfoldMessage(latin1(text))
      assert.ok(unfolded !== null)
      assert.deepEqual(whole(utf8(unfolded.events)), JSON.parse(text))
      const again = messagesWire.read(JSON.parse(messagesWriter.answer(answer, SAYING)), ENCODING) as ChatAnswer
      assert.deepEqual(again.usage, answer.usage)
      assert.deepEqual(again.choices[0]!.finish, answer.choices[0]!.finish)
    })
  }
})
