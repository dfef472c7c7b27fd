/** Real answers of Gemini. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

import type { Part } from '../../canonical/content.ts'
import { EventSplitter, eventData } from '../../stream/events.ts'
import { encoding, streamed } from './streamed.fixture.ts'
import { generateWire } from './wire.ts'

const FOLDER = new URL('../../../../../../shared/recordings/google/', import.meta.url)
const skip = existsSync(FOLDER) ? false : 'there are no recordings beside this checkout (../shared/recordings/google)'

/** The streams that are whole. */
const STREAMS = skip === false ? readdirSync(FOLDER).filter((name) => name.endsWith('.chunks.txt')) : []

describe('a recorded stream', { skip }, () => {
  for (const name of STREAMS) {
    const lines = readFileSync(new URL(name, FOLDER), 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
    const events = lines.map((line) => JSON.parse(line))

    it(`${name} says what its pieces say, wherever it is cut`, () => {
      const bytes = Buffer.from(lines.map((line) => `data: ${line}\r\n\r\n`).join(''))
      const expected = streamed(...lines)
      assert.equal(expected.at(-1)?.type, 'done')
      for (const size of [1, 7, 97, bytes.length]) assert.deepEqual(streamed(...cut(bytes, size)), expected)

      const parts = events.flatMap(({ candidates }) => candidates.flatMap(({ content }: any) => content.parts))
      const joined = (type: 'text' | 'reasoning'): string =>
        expected.flatMap((part) => (part.type === type ? [part.text] : [])).join('')
      const texts = (thought: boolean): string =>
        parts
          .filter((part) => Boolean(part.thought) === thought)
          .map(({ text = '' }) => text)
          .join('')
      assert.equal(joined('text'), texts(false))
      assert.equal(joined('reasoning'), texts(true))
      assert.deepEqual(
        expected.flatMap((part) => (part.type === 'arguments' ? [JSON.parse(part.text)] : [])),
        parts.flatMap(({ functionCall }) => (functionCall ? [functionCall.args] : [])),
      )
      assert.deepEqual(
        expected.flatMap((part) => (part.type === 'signature' ? [part.signature.value] : [])),
        parts.flatMap(({ thoughtSignature }) => thoughtSignature ?? []),
      )
      const usage = expected.find(({ type }) => type === 'usage')
      const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount = 0 } = events.at(-1).usageMetadata
      assert.ok(usage?.type === 'usage')
      assert.deepEqual(
        [usage.usage.inputTokens, usage.usage.outputTokens, usage.usage.reasoningTokens],
        [promptTokenCount, candidatesTokenCount + thoughtsTokenCount, thoughtsTokenCount],
      )
    })
  }

  for (const name of skip === false ? readdirSync(FOLDER).filter((one) => one.endsWith('.json')) : []) {
    it(`${name} says what its parts say`, () => {
      const recorded = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
      const answer = generateWire.read(recorded, encoding)
      assert.ok(answer?.kind === 'chat')
      const [
        {
          content: { parts },
        },
      ] = recorded.candidates
      const of = <T>(pick: (part: Part) => T[]): T[] => answer.choices[0]!.content.flatMap(pick)
      assert.equal(
        of((part) => (part.type === 'text' ? [part.text] : [])).join(''),
        parts.map(({ text = '' }) => text).join(''),
      )
      assert.deepEqual(
        of((part) => (part.type === 'tool_call' ? [JSON.parse(part.arguments)] : [])),
        parts.flatMap(({ functionCall }: any) => (functionCall ? [functionCall.args] : [])),
      )
      assert.equal(answer.usage!.inputTokens, recorded.usageMetadata.promptTokenCount)
    })
  }
})

/** The data of events that come in pieces of so many bytes. */
function cut(bytes: Buffer, size: number): string[] {
  const splitter = new EventSplitter()
  const data: string[] = []
  for (let at = 0; at < bytes.length; at += size) {
    splitter.pushBytes(bytes.subarray(at, at + size))
    while (splitter.next()) {
      const text = eventData(splitter.text.slice(splitter.start, splitter.end))
      if (text !== null) data.push(Buffer.from(text, 'latin1').toString('utf8'))
    }
  }
  return data
}
