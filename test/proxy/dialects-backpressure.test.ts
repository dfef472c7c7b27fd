/** What is translated is held for nobody: a client that does not read holds up a provider of another API. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { stoodStill } from '../helpers/held-up.ts'
import { residentMegabytes } from '../helpers/memory.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { EVENT_STREAM, recordedFrames } from '../helpers/upstream/event-stream.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { PATHS, streamedQuestion, type Talker } from './dialects/clients.ts'
import { aliasOf, REPLAYED_BY } from './dialects/kinds.ts'
import { SCENARIOS } from './dialects/scenarios.ts'
import { useDialects } from './dialects/scene.ts'
import { eventsIn } from './dialects/speakers-events.ts'
import type { Spoken } from './dialects/speakers.ts'

const MB = 1_024 * 1_024
const scene = useDialects()
const PAIRS: readonly (readonly [Spoken, Talker])[] = [
  ['messages', 'chat'],
  ['gemini', 'messages'],
  ['converse', 'chat'],
  ['chat', 'messages'],
]

/** The beginning of an answer, and then one piece of text for as long as it is taken. */
function endless(api: Spoken): Behaviour {
  return async (exchange) => {
    const lines = eventsIn(api, { ...SCENARIOS.text, text: ['x'.repeat(200)] })
    const at = lines.findIndex((line) => line.includes('xxxx'))
    const bytes = (some: readonly string[]): Buffer =>
      api === 'converse'
        ? Buffer.concat(recordedFrames(some))
        : Buffer.from(some.map((line) => `data: ${line}\n\n`).join(''))
    exchange.head(200, { 'content-type': api === 'converse' ? EVENT_STREAM : 'text/event-stream' })
    await exchange.writeWhole(bytes(lines.slice(0, at)))
    const many = bytes(Array.from({ length: 100 }, () => lines[at]!))
    while (!exchange.signal.aborted) await exchange.writeWhole(many)
  }
}

describe('a client that does not read', () => {
  for (const [api, client] of PAIRS) {
    test(`${client} holds up ${api}, and the proxy holds nothing of it`, async () => {
      scene.upstream.next(endless(api))
      const answer = await scene.open(PATHS[client], streamedQuestion(client, aliasOf(REPLAYED_BY[api])))
      assert.equal(answer.status, 200)
      answer.stream.pause()
      const { last: seen } = scene.upstream
      const held = await stoodStill(seen)
      assert.ok(held < 32 * MB, `${held} bytes were taken for a client that reads none`)

      const before = residentMegabytes(scene.proxy.pid)
      let read = 0
      answer.stream.on('data', (chunk: Buffer) => (read += chunk.length))
      answer.stream.resume()
      await waitFor(() => read > 64 * MB, { what: 'the stream to go on', timeoutMs: 40_000 })
      const after = residentMegabytes(scene.proxy.pid)
      answer.abort()
      await within(5_000, 'the end upstream', seen.ended)
      if (before !== null && after !== null) assert.ok(after - before < 100, `${before} MB became ${after} MB`)
    })
  }
})
