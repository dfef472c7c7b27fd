/** What must be the same on both sides of a translation. */
import assert from 'node:assert/strict'

import type { RequestRecord } from '@millrace/shared'

import type { Client } from './clients.ts'
import type { Said } from './said.ts'

/** Asserts that a client hears what the provider has said, as far as its API can say it. */
export function assertSame(client: Client, heard: Said, said: Said): void {
  // A completion has no other place for why it is refused.
  if (client === 'completions') assert.ok(heard.text === said.text || (said.finish === 'filtered' && said.text === ''))
  else if (said.refusal === '') assert.equal(heard.text, said.text)
  else assert.equal(heard.text + heard.refusal, said.text + said.refusal)
  if (client !== 'completions') {
    assert.equal(heard.reasoning, said.reasoning)
    assert.deepEqual(callsOf(heard), callsOf(said))
    if (said.finish !== 'unknown') assert.equal(heard.finish, said.finish)
  }
  const { usage } = said
  if (usage === null) return
  assert.ok(heard.usage !== null, 'the client is told the usage')
  // Anthropic's says nothing of thoughts, and OpenAI's nothing of what was written to a cache.
  const { input, output, cached } = heard.usage
  assert.deepEqual({ input, output, cached }, { input: usage.input, output: usage.output, cached: usage.cached })
  if (client === 'messages') assert.equal(heard.usage.cacheWrite, usage.cacheWrite)
  else assert.equal(heard.usage.reasoning, usage.reasoning)
}

/** A custom tool's text is no JSON: in an API that has only JSON it stands in an object. */
function callsOf({ calls }: Said): unknown[] {
  return calls.map(({ name, arguments: args }) => ({ name, arguments: isWrapped(args) ? args.input : args }))
}

function isWrapped(args: unknown): args is { input: string } {
  if (typeof args !== 'object' || args === null || Object.keys(args).length !== 1) return false
  return 'input' in args && typeof args.input === 'string'
}

/** Asserts that a record says of usage what the provider does. */
export function assertRecorded(record: RequestRecord, { usage }: Said): void {
  if (usage === null) return assert.equal(record.usage.source, 'ESTIMATED')
  const { inputTokens: input, outputTokens: output, source } = record.usage
  const { cachedInputTokens: cached, cacheWriteTokens: cacheWrite, reasoningTokens: reasoning } = record.usage
  assert.deepEqual({ input, output, cached, cacheWrite, reasoning, source }, { ...usage, source: 'PROVIDER' })
}
