/** Answers that are kept are given again in the client's own API, in the form in which they came and in the other. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { heard, heardStream, PATHS, question, streamedQuestion, TALKERS, type Talker } from './dialects/clients.ts'
import { cachedAliasOf, type Kind } from './dialects/kinds.ts'
import { speaking } from './dialects/provider.ts'
import type { Said } from './dialects/said.ts'
import { assertSame } from './dialects/same.ts'
import { saidOf, SCENARIOS, type Scenario, type ScenarioName } from './dialects/scenarios.ts'
import { useDialects } from './dialects/scene.ts'

const scene = useDialects()
const NAMES: readonly ScenarioName[] = [
  'text',
  'unicode',
  'parallel calls',
  'reasoning before a call',
  'cut off by length',
]
const KINDS: Readonly<Record<Talker, readonly Kind[]>> = {
  chat: ['GEMINI', 'ANTHROPIC', 'OPENAI'],
  responses: ['GEMINI', 'ANTHROPIC', 'OPENAI'],
  messages: ['GEMINI', 'ANTHROPIC', 'OPENAI_COMPATIBLE'],
}

/** Asks, and says whether the answer was kept. */
async function ask(
  client: Talker,
  model: string,
  stream: boolean,
  about: string,
): Promise<{ said: Said; cache: string }> {
  const more =
    client === 'responses' ? { input: about, store: false } : { messages: [{ role: 'user', content: about }] }
  const body = stream ? streamedQuestion(client, model, more) : question(client, model, more)
  const answer = await scene.post(PATHS[client], body)
  const said = stream ? heardStream(client, answer, false) : heard(client, answer, false)
  return { said, cache: String(answer.headers['x-cache']) }
}

for (const client of TALKERS) {
  for (const kind of KINDS[client]) {
    describe(`${client} at ${kind}`, () => {
      for (const name of NAMES) {
        for (const first of [false, true]) {
          test(`${name}, first ${first ? 'streamed' : 'whole'}`, async () => {
            const scenario: Scenario = SCENARIOS[name]
            const said = saidOf(scenario)
            scene.upstream.otherwise = speaking(() => scenario)
            const model = cachedAliasOf(kind)
            const about = `${name} ${String(first)}`
            const begun = await ask(client, model, first, about)
            assert.equal(begun.cache, 'MISS')
            const asked = scene.upstream.requests.length
            for (const stream of [first, !first]) {
              const again = await ask(client, model, stream, about)
              assert.equal(again.cache, 'HIT', `asked for ${stream ? 'streamed' : 'whole'}`)
              assertSame(client, again.said, { ...said, usage: begun.said.usage })
            }
            assert.equal(scene.upstream.requests.length, asked)
          })
        }
      }
    })
  }
}
