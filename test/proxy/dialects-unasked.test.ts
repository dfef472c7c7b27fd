/** JSON with success where a stream was asked for: the error that it tells is passed on, and it is never an answer. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { behaviours } from '../helpers/upstream/behaviours.ts'
import { PATHS, streamedQuestion, TALKERS } from './dialects/clients.ts'
import { aliasOf } from './dialects/kinds.ts'
import { useDialects } from './dialects/scene.ts'

const scene = useDialects()

const TOLD = [
  ['an error', '{"code":"invalid","error":"No such thing."}', /json, which was not asked for: .*No such thing\.$/],
  ['a whole answer', '{"id":"a","choices":[{"message":{"content":"a"}}]}', /json, which was not asked for$/],
  ['no JSON', 'oops', /json, which was not asked for$/],
] as const

describe('JSON in place of a stream', () => {
  for (const [name, body, expected] of TOLD) {
    for (const client of TALKERS) {
      test(`that is ${name}, for ${client}`, async () => {
        const question = streamedQuestion(client, aliasOf('OPENAI_COMPATIBLE'))
        const { answer } = await scene.ask(behaviours.raw(body), PATHS[client], question)
        assert.equal(answer.status, 502)
        assert.match(JSON.parse(answer.text).error.message, expected)
        const { attempts } = await scene.recordOf(answer)
        assert.equal(attempts[0]!.errorClass, 'upstream_invalid')
      })
    }
  }
})
