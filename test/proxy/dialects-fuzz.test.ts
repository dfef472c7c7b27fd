/** What no API promises: nothing throws, and what clients get is still in order of their own API. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { GatewayError } from '@millrace/shared'
import fc from 'fast-check'

import {
  assertAnswerForm,
  assertEventForm,
  assertMessageOrder,
  assertResponseOrder,
  eventsOf,
  TALKERS,
  type Talker,
} from './dialects/clients.ts'
import { partialCall } from './dialects/fixtures-gemini.ts'
import { responsesOwn, summaries } from './dialects/fixtures-responses.ts'
import { citations, ownBlocks, refusal } from './dialects/fixtures.ts'
import { mutated, mutation } from './dialects/mutations.ts'
import { REQUESTS } from './dialects/requests.ts'
import type { Json } from './dialects/said.ts'
import { SCENARIO_NAMES, SCENARIOS } from './dialects/scenarios.ts'
import { eventsIn } from './dialects/speakers-events.ts'
import { answerIn, SPOKEN, type Spoken } from './dialects/speakers.ts'
import { bytesOf, encodedFor, READERS, SAYING, Translating, WIRES, WRITERS } from './dialects/translating.ts'

const RUNS = { numRuns: 300 }
const FIXTURES = [
  refusal,
  partialCall,
  ...citations,
  ...Object.values(ownBlocks),
  ...Object.values(responsesOwn),
  summaries,
]

const several = fc.array(mutation, { minLength: 1, maxLength: 4 })

/** Answers that an API may give, and their events. */
function said(api: Spoken): { answers: Json[]; streams: Json[][] } {
  const scenarios = SCENARIO_NAMES.map((name) => SCENARIOS[name])
  const own = FIXTURES.filter((fixture) => fixture.api === api)
  return {
    answers: [...scenarios.map((one) => JSON.parse(answerIn(api, one))), ...own.map(({ answer }) => answer)],
    streams: [
      ...scenarios.map((one) => eventsIn(api, one).map((line) => JSON.parse(line))),
      ...own.map(({ events }) => [...events]),
    ],
  }
}

/** Asserts that a stream which has ended is whole, in the client's own API. */
function assertWhole(client: Talker, text: string): void {
  const data = eventsOf(text).map((event) => event.data)
  if (client === 'chat') assert.equal(data.pop(), '[DONE]')
  const events = data.map((line) => JSON.parse(line))
  for (const event of events) assertEventForm(client, event)
  if (client === 'messages') assertMessageOrder(events)
  if (client === 'responses') assertResponseOrder(events)
}

for (const api of SPOKEN) {
  const { answers, streams } = said(api)

  for (const client of TALKERS) {
    if (api === client) continue

    test(`an answer of ${api} that is not as promised, for ${client}`, () => {
      let told = 0
      fc.assert(
        fc.property(fc.constantFrom(...answers), several, (answer, mutations) => {
          const encoded = encodedFor(api, false)
          const read = WIRES[api].read(mutated(answer, mutations), encoded)
          if (read === null || read.kind === 'error') return
          const text = WRITERS[client].answer(read, SAYING)
          assertAnswerForm(client, JSON.parse(text))
          told++
        }),
        RUNS,
      )
      assert.ok(told > 50, `${told} were told`)
    })

    test(`a stream of ${api} that is not as promised, for ${client}`, () => {
      let whole = 0
      fc.assert(
        fc.property(fc.constantFrom(...streams), several, (events, mutations) => {
          const lines = mutated(events, mutations)
            .filter((event: Json) => api !== 'converse' || isNamed(event))
            .map((event: Json) => JSON.stringify(event))
          const translating = new Translating(api, client)
          let text = ''
          for (const bytes of bytesOf(api, lines)) text += translating.push(bytes)
          text += translating.stream.close()
          const { ended, error } = translating.stream
          if (!ended || error !== null) return
          assertWhole(client, Buffer.from(text, 'latin1').toString('utf8'))
          whole++
        }),
        RUNS,
      )
      assert.ok(whole > 50, `${whole} were whole`)
    })
  }

  test(`an error of ${api} that is not as promised`, () => {
    const errors: readonly Json[] = [
      { error: { message: 'No.', type: 'x', code: 400, status: 'X', param: null, details: [{ reason: 'R' }] } },
      { type: 'error', error: { type: 'x', message: 'No.' } },
      { message: 'No.', Message: 'No.', __type: 'x#Y' },
      'a text',
      '',
    ]
    fc.assert(
      fc.property(fc.constantFrom(...errors), several, (error, mutations) => {
        const { message, type, code, param } = WIRES[api].readError(400, mutated([error], mutations)[0])
        assert.equal(typeof message, 'string')
        for (const word of [type, code, param]) assert.ok(word === null || typeof word === 'string')
      }),
      RUNS,
    )
  })
}

/** What a frame of AWS can hold. */
function isNamed(event: Json): boolean {
  return typeof event === 'object' && event !== null && !Array.isArray(event) && Object.values(event)[0] != null
}

describe('requests that are not as promised', () => {
  for (const client of TALKERS) {
    test(`of ${client}`, () => {
      let read = 0
      fc.assert(
        fc.property(fc.constantFrom(...REQUESTS[client]), several, (body, mutations) => {
          const request = orRefused(() => READERS[client](mutated(body, mutations)))
          if (request === null) return
          read++
          for (const api of SPOKEN) {
            const encoded = orRefused(() => WIRES[api].encode(request, { model: 'model', stream: false }))
            if (encoded !== null) JSON.parse(encoded.body)
          }
        }),
        { numRuns: 1_500 },
      )
      assert.ok(read > 100, `${read} were read`)
    })

    test(`of ${client}, as they are`, () => {
      for (const body of REQUESTS[client]) {
        const request = READERS[client](body)
        for (const api of SPOKEN) {
          // Bedrock fetches nothing.
          const told = api === 'converse' ? READERS[client](withoutUrls(body)) : request
          const { body: json } = WIRES[api].encode(told, { model: 'model', stream: true })
          assert.equal(typeof JSON.parse(json), 'object')
        }
      }
    })
  }
})

function withoutUrls(body: Json): Json {
  return JSON.parse(JSON.stringify(body), (_, value) => withoutHoles(value))
}

function isUrl(value: Json): boolean {
  return value?.image_url?.url?.startsWith('https:') || value?.source?.type === 'url'
}

function withoutHoles(value: Json): Json {
  return Array.isArray(value) ? value.filter((one) => !isUrl(one)) : value
}

/** Null: it is refused, with a reason. Any other error is a fault. */
function orRefused<T>(make: () => T): T | null {
  try {
    return make()
  } catch (error) {
    assert.ok(error instanceof GatewayError, String((error as Error).stack))
    assert.equal(error.status, 400)
    assert.ok(error.message.length > 0)
    return null
  }
}
