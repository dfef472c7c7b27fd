/** Real providers' unstreamed answers, replayed in their own API, say the same in each client's. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { assertDescribed, openApiMissing } from '../helpers/openapi.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { CLIENTS_OF, heard, PATHS, question, TALKERS } from './dialects/clients.ts'
import { aliasOf, REPLAYED_BY } from './dialects/kinds.ts'
import { recordedAnswers, recordedErrors, recordingsMissing } from './dialects/recordings.ts'
import { replayAnswer } from './dialects/replay.ts'
import { saidBy } from './dialects/said.ts'
import { assertRecorded, assertSame } from './dialects/same.ts'
import { useDialects } from './dialects/scene.ts'

const scene = useDialects()
const ANSWERS = recordedAnswers()

describe('recorded answers', { skip: recordingsMissing }, () => {
  test('are there', () => assert.ok(ANSWERS.length >= 20))

  for (const { name, dialect, text, parsed } of ANSWERS.filter((one) => one.dialect !== 'embeddings')) {
    for (const client of CLIENTS_OF[dialect]) {
      test(`${name} for ${client}`, async () => {
        const said = saidBy(dialect, parsed[0])
        const body = question(client, aliasOf(REPLAYED_BY[dialect]))
        const { answer } = await scene.ask(replayAnswer(text), PATHS[client], body)
        assertSame(client, heard(client, answer, client !== dialect), said)
        assert.equal(JSON.parse(answer.text).model, body.model, 'the model is the one that was asked for')
        assertRecorded(await scene.recordOf(answer), said)
      })
    }
  }

  for (const { name, text, parsed, dialect } of ANSWERS.filter((one) => one.dialect === 'embeddings')) {
    for (const kind of ['OPENAI', 'OPENAI_COMPATIBLE', 'AZURE_OPENAI'] as const) {
      test(`${name} of ${kind}`, async () => {
        const body = { model: aliasOf(kind), input: ['a', 'b'] }
        const { answer } = await scene.ask(replayAnswer(text), '/v1/embeddings', body)
        assert.equal(answer.status, 200, answer.text)
        assert.deepEqual(JSON.parse(answer.text), { ...parsed[0], model: body.model })
        if (!openApiMissing) assertDescribed('CreateEmbeddingResponse', JSON.parse(answer.text))
        assertRecorded(await scene.recordOf(answer), saidBy(dialect, parsed[0]))
      })
    }
  }
})

describe('recorded errors', { skip: recordingsMissing }, () => {
  for (const { name, text, parsed } of recordedErrors()) {
    for (const client of TALKERS) {
      test(`${name} for ${client}`, async () => {
        const body = question(client, aliasOf('OPENAI_COMPATIBLE'))
        const { answer } = await scene.ask(behaviours.raw(text, { status: 400 }), PATHS[client], body)
        assert.equal(answer.status, 400)
        const told = JSON.parse(answer.text)
        assert.equal(told.error.message, parsed[0].error.message)
        if (client === 'messages') assert.equal(told.type, 'error')
        else assertDescribedError(told)
      })
      test(`${name} for ${client}, where another might have done better`, async () => {
        const body = question(client, aliasOf('OPENAI_COMPATIBLE'))
        const { answer } = await scene.ask(behaviours.raw(text, { status: 429 }), PATHS[client], body)
        if (client !== 'messages') {
          assertError(answer, { status: 429, type: 'upstream_error', code: 'all_routes_failed' })
        } else {
          assert.equal(answer.status, 429)
          assert.equal(JSON.parse(answer.text).error.type, 'rate_limit_error')
        }
      })
    }
  }
})

function assertDescribedError(body: object): void {
  if (!openApiMissing) assertDescribed('ErrorResponse', body)
}
