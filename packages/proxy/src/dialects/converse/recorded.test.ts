/** Real answers of Bedrock, as the `vercel/ai` project has recorded them: read as they were meant. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

import type { StreamPart } from '../../canonical/answer.ts'
import { readAnswer } from './answer-read.ts'
import { ConverseReader } from './stream-read.ts'

const FOLDER = new URL('../../../../../../shared/recordings/amazon-bedrock/', import.meta.url)
const skip = existsSync(FOLDER) ? false : 'there are no recordings beside this checkout (../shared/recordings)'
const MEMO = { names: null, customs: [], stop: null }

function recordings(suffix: string): { name: string; text: string }[] {
  if (skip) return []
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(suffix))
  return names.map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }))
}

/** What of a recorded stream has this in it. */
function told(lines: readonly any[], get: (line: any) => unknown): unknown[] {
  return lines.map(get).filter((value) => value !== undefined)
}

describe('recorded streams', { skip }, () => {
  for (const { name, text } of recordings('.chunks.txt')) {
    it(name, () => {
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      const reader = new ConverseReader(MEMO)
      const parts: StreamPart[] = []
      for (const line of lines) {
        const [event, body] = Object.entries(line)[0]!
        parts.push(...reader.take(JSON.stringify(body), event))
      }
      parts.push(...reader.close())
      const all = <T extends StreamPart['type']>(type: T) =>
        parts.filter((part): part is Extract<StreamPart, { type: T }> => part.type === type)
      const joined = (pieces: unknown[]) => pieces.join('')
      assert.equal(
        joined(all('text').map((part) => part.text)),
        joined(told(lines, (line) => line.contentBlockDelta?.delta.text)),
      )
      assert.equal(
        joined(all('arguments').map((part) => part.text)),
        joined(told(lines, (line) => line.contentBlockDelta?.delta.toolUse?.input)),
      )
      assert.deepEqual(
        all('tool_call').map((part) => [part.id, part.name]),
        told(lines, (line) => line.contentBlockStart?.start.toolUse).map((call: any) => [call.toolUseId, call.name]),
      )
      assert.deepEqual(
        all('finish').map(({ finish }) => finish.own),
        told(lines, (line) => line.messageStop?.stopReason),
      )
      const [usage] = told(lines, (line) => line.metadata?.usage) as any[]
      assert.deepEqual(
        all('usage').map((part) => [part.usage.inputTokens, part.usage.outputTokens]),
        [[usage.inputTokens, usage.outputTokens]],
      )
      assert.deepEqual([parts[0]!.type, parts.at(-1)!.type], ['start', 'done'])
    })
  }
})

describe('recorded answers', { skip }, () => {
  for (const { name, text } of recordings('.json')) {
    it(name, () => {
      const recorded = JSON.parse(text)
      const answer = readAnswer(recorded, MEMO)!
      const [choice] = answer.choices
      assert.deepEqual(
        choice!.content.map((part) =>
          part.type === 'tool_call'
            ? { toolUse: { toolUseId: part.id, name: part.name, input: JSON.parse(part.arguments) } }
            : { text: part.type === 'text' ? part.text : assert.fail() },
        ),
        recorded.output.message.content,
      )
      assert.equal(choice!.finish.own, recorded.stopReason)
      assert.equal(answer.usage!.inputTokens, recorded.usage.inputTokens)
      assert.equal(answer.usage!.outputTokens, recorded.usage.outputTokens)
    })
  }
})
