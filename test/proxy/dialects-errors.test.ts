/** What goes wrong at a provider, as clients of each API are told. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { behaviours } from '../helpers/upstream/behaviours.ts'
import { PATHS, question, streamedQuestion, TALKERS } from './dialects/clients.ts'
import {
  assertFailed,
  assertTold,
  failingIn,
  MESSAGE,
  refusalIn,
  typeIn,
  upstreamIdOf,
} from './dialects/error-forms.ts'
import { aliasOf, REPLAYED_BY } from './dialects/kinds.ts'
import { replayAnswer, replayStream } from './dialects/replay.ts'
import { SCENARIOS } from './dialects/scenarios.ts'
import { useDialects } from './dialects/scene.ts'
import { eventsIn } from './dialects/speakers-events.ts'
import { answerIn, SPOKEN, type Spoken } from './dialects/speakers.ts'

const scene = useDialects()

/** Statuses with which a provider says that the request itself is at fault. */
const REFUSED = [400, 404, 413, 422]
const MENDABLE = [429, 500, 503, 529]
const TEXT = SCENARIOS.text

/** Events of a stream with some content, and not its end. */
function beginning(api: Spoken): string[] {
  return eventsIn(api, TEXT).slice(0, api === 'gemini' ? 2 : 5)
}

for (const api of SPOKEN) {
  const kind = REPLAYED_BY[api]
  const alias = aliasOf(kind)

  for (const client of TALKERS) {
    describe(`${kind} to ${client}`, () => {
      for (const status of REFUSED) {
        test(`${status}: the provider's words in the client's form`, async () => {
          const { answer } = await scene.ask(refusalIn(api, status), PATHS[client], question(client, alias))
          const error = assertTold(client, answer, status)
          assert.equal(error.message, MESSAGE)
          assert.ok(answer.text.includes(typeIn(api, status)), `the provider's type is kept: ${answer.text}`)
          assert.equal(answer.headers['x-millrace-upstream-request-id'], upstreamIdOf(api))
          const record = await scene.recordOf(answer)
          assert.equal(record.attempts[0]!.errorClass, 'upstream_4xx')
        })
      }

      for (const status of MENDABLE) {
        test(`${status}: another route might do better`, async () => {
          const { answer } = await scene.ask(refusalIn(api, status), PATHS[client], streamedQuestion(client, alias))
          const error = assertTold(client, answer, status === 429 ? 429 : 502)
          if (client !== 'messages') assert.equal(error.code, 'all_routes_failed')
          const [attempt] = (await scene.recordOf(answer)).attempts
          assert.equal(attempt!.errorClass, status === 429 ? 'upstream_rate_limited' : 'upstream_5xx')
        })
      }

      for (const status of [401, 403]) {
        test(`${status}: nothing of the gateway's own key`, async () => {
          const { answer } = await scene.ask(refusalIn(api, status), PATHS[client], question(client, alias))
          const error = assertTold(client, answer, 502)
          if (client !== 'messages') assert.equal(error.code, 'upstream_credentials_exhausted')
        })
      }

      test('an error in a stream before its first content', async () => {
        const { answer } = await scene.ask(failingIn(api, []), PATHS[client], streamedQuestion(client, alias))
        assertTold(client, answer, 502)
        assert.equal((await scene.recordOf(answer)).attempts[0]!.errorClass, 'stream_error')
      })

      test('an error in a stream after content', async () => {
        const body = streamedQuestion(client, alias)
        const { answer } = await scene.ask(failingIn(api, beginning(api)), PATHS[client], body)
        const { before } = assertFailed(client, answer)
        assert.ok(JSON.stringify(before).includes('Hello'), 'what came before it stays')
        assert.equal((await scene.recordOf(answer)).attempts[0]!.errorClass, 'stream_error')
      })

      test('a stream that ends without its end', async () => {
        const body = streamedQuestion(client, alias)
        const behaviour =
          api === 'converse' ? replayStream(api, beginning(api)) : behaviours.events(beginning(api), { done: null })
        const { answer } = await scene.ask(behaviour, PATHS[client], body)
        assertFailed(client, answer)
        assert.equal((await scene.recordOf(answer)).attempts[0]!.errorClass, 'stream_truncated')
      })

      test('HTML in place of an answer', async () => {
        for (const status of [200, 502]) {
          const { answer } = await scene.ask(behaviours.html(status), PATHS[client], question(client, alias))
          assertTold(client, answer, 502)
        }
      })

      test('HTML in place of a stream', async () => {
        const page = behaviours.raw('<html><body>Hello</body></html>', { headers: { 'content-type': 'text/html' } })
        assertTold(client, (await scene.ask(page, PATHS[client], streamedQuestion(client, alias))).answer, 502)
      })

      test('a refusal that is no JSON', async () => {
        const { answer } = await scene.ask(
          behaviours.raw('<p>No.</p>', { status: 404 }),
          PATHS[client],
          question(client, alias),
        )
        if (client !== api) assertTold(client, answer, 404)
        else assert.equal(answer.status, 404)
      })

      test('an answer that is none', async () => {
        for (const json of [
          'null',
          '[]',
          '{}',
          '"text"',
          '{"choices":5,"content":5,"output":5,"candidates":5}',
          '{"a":',
        ]) {
          const { answer } = await scene.ask(replayAnswer(json), PATHS[client], question(client, alias))
          // OpenAI's own client takes whatever has choices as it comes.
          if (client === 'chat' && api === 'chat' && json.includes('choices')) assert.equal(answer.text, json)
          else assertTold(client, answer, 502)
        }
      })

      test('a compressed answer, though nobody asked', async () => {
        const behaviour = behaviours.raw(answerIn(api, TEXT), { gzip: true })
        assertTold(client, (await scene.ask(behaviour, PATHS[client], question(client, alias))).answer, 502)
      })

      for (const other of SPOKEN.filter((one) => one !== api)) {
        // OpenAI's own client takes OpenAI's answers as they come.
        if (client === api) continue
        test(`an answer of ${other}`, async () => {
          const { answer } = await scene.ask(
            replayAnswer(answerIn(other, TEXT)),
            PATHS[client],
            question(client, alias),
          )
          assertTold(client, answer, 502)
        })

        test(`a stream of ${other}`, async () => {
          const { answer } = await scene.ask(
            replayStream(other, eventsIn(other, TEXT)),
            PATHS[client],
            streamedQuestion(client, alias),
          )
          assertTold(client, answer, 502)
        })
      }
    })
  }
}

/** The error that it tells is passed on, and it is never an answer. */
describe('JSON in place of a stream', () => {
  for (const [name, json, expected] of [
    ['an error', '{"code":"invalid","error":"No such thing."}', /json, which was not asked for: .*No such thing\.$/],
    ['a whole answer', '{"id":"a","choices":[{"message":{"content":"a"}}]}', /json, which was not asked for$/],
    ['no JSON', 'oops', /json, which was not asked for$/],
  ] as const) {
    for (const client of TALKERS) {
      test(`that is ${name}, for ${client}`, async () => {
        const body = streamedQuestion(client, aliasOf('OPENAI_COMPATIBLE'))
        const { answer } = await scene.ask(replayAnswer(json), PATHS[client], body)
        assert.match(assertTold(client, answer, 502).message, expected)
        assert.equal((await scene.recordOf(answer)).attempts[0]!.errorClass, 'upstream_invalid')
      })
    }
  }
})
