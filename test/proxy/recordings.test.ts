/** Real providers' answers, replayed: what they sent reaches the client byte for byte, but for the model and usage unasked for. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'

const FOLDER = new URL('../../../shared/recordings/', import.meta.url)
const skip = existsSync(FOLDER) ? false : 'there are no recordings beside this checkout (../shared/recordings)'
const scene = useScene()

/** The recordings that are chat completions of OpenAI's dialect: file name and lines, or whole text. */
function recordings(suffix: string, object: string): { name: string; text: string }[] {
  if (skip) return []
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }))
    .filter(({ text }) => new RegExp(`"object":\\s*"${object.replaceAll('.', '\\.')}"`).test(text))
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** Renames the top-level model of a JSON text that has one, by a way of its own: the only member of that value outside strings. */
function renamed(json: string): string {
  const { model } = JSON.parse(json) as { model?: string }
  if (model === undefined) return json
  const member = new RegExp(`"model":(\\s*)${JSON.stringify(model).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}`, 'g')
  assert.equal(json.match(member)?.length, 1, 'the recording names its model once')
  return json.replace(member, (_, space: string) => `"model":${space}${JSON.stringify(scene.alias)}`)
}

/** A chunk that tells nothing but usage. */
function isUsageChunk(json: string): boolean {
  const { choices, usage } = JSON.parse(json) as { choices?: unknown[]; usage?: object | null }
  return choices?.length === 0 && Boolean(usage)
}

describe('recorded streams', { skip }, () => {
  for (const { name, text } of recordings('.chunks.txt', 'chat.completion.chunk')) {
    const chunks = text.split('\n').filter((line) => line !== '' && line !== '[DONE]')
    for (const asked of [true, false]) {
      test(`${name}${asked ? ', usage asked for' : ''}`, async () => {
        scene.upstream.next(behaviours.events(chunks, { split: 1_000 }))
        const more = { stream: true, ...(asked ? { stream_options: { include_usage: true } } : {}) }
        const answer = await scene.chat(scene.body(scene.alias, more))
        assert.equal(answer.status, 200, answer.text)
        const expected = chunks.filter((chunk) => asked || !isUsageChunk(chunk)).map(renamed)
        assert.equal(answer.text, [...expected, '[DONE]'].map((data) => `data: ${data}\n\n`).join(''))
        const record = await scene.gateway.record(String(answer.headers['x-request-id']))
        const usage = chunks.map((chunk) => (JSON.parse(chunk) as RecordedUsage).usage).findLast(Boolean)
        assertUsage(record.usage, usage)
      })
    }
  }
})

describe('recorded unstreamed answers', { skip }, () => {
  for (const { name, text } of recordings('.json', 'chat.completion')) {
    test(name, async () => {
      scene.upstream.next(behaviours.raw(text))
      const answer = await scene.chat(scene.body())
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.text, renamed(text))
      const record = await scene.gateway.record(String(answer.headers['x-request-id']))
      assertUsage(record.usage, (JSON.parse(text) as RecordedUsage).usage)
    })
  }
})

interface RecordedUsage {
  readonly usage?: {
    readonly prompt_tokens: number
    readonly completion_tokens: number
    readonly prompt_tokens_details?: { readonly [name: string]: number } | null
    readonly completion_tokens_details?: { readonly [name: string]: number } | null
  } | null
}

function assertUsage(stored: object, told: RecordedUsage['usage']): void {
  if (!told) return assert.equal((stored as { source: string }).source, 'ESTIMATED')
  assert.deepEqual(stored, {
    inputTokens: told.prompt_tokens,
    outputTokens: told.completion_tokens,
    cachedInputTokens: told.prompt_tokens_details?.['cached_tokens'] ?? 0,
    cacheWriteTokens: told.prompt_tokens_details?.['cache_write_tokens'] ?? 0,
    reasoningTokens: told.completion_tokens_details?.['reasoning_tokens'] ?? 0,
    inputAudioTokens: told.prompt_tokens_details?.['audio_tokens'] ?? 0,
    outputAudioTokens: told.completion_tokens_details?.['audio_tokens'] ?? 0,
    source: 'PROVIDER',
    billed: true,
  })
}
