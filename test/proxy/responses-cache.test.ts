/** Responses that are given again, in either form; those that the provider keeps are not. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { DEFAULT_CACHE, parseInFlight } from '@millrace/shared'

import type { Answer } from '../helpers/http.ts'
import { uniqueName } from '../helpers/names.ts'
import { ownCredential, useOwnProxy } from '../helpers/own-proxy.ts'
import { OwnSnapshot, ownAlias, ownProvider, ownRoute } from '../helpers/own-snapshot.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { writeFramed } from '../helpers/upstream/answers.ts'
import { replayAnswer, replayStream } from './dialects/replay.ts'
import { answerTo } from './live/operator.ts'

const PATH = '/v1/responses'

const own = useOwnProxy(
  (origin) => {
    const native = ownProvider({
      name: 'native',
      kind: 'OPENAI',
      baseUrl: `${origin}/v1`,
      credentials: [ownCredential()],
    })
    const cache = { ...DEFAULT_CACHE, enabled: true, coalesce: true }
    const aliases = { cached: cache, paced: { ...cache, replayPace: 'RECORDED' as const }, plain: DEFAULT_CACHE }
    return new OwnSnapshot(
      [native],
      Object.entries(aliases).map(([name, policy]) =>
        ownAlias({ name, cache: policy, routes: [ownRoute({ providerId: native.id })] }),
      ),
    )
  },
  { MILLRACE_REVOKED_STREAMS: 'cut' },
)

function ask(body: object): Promise<Answer> {
  return own.post(PATH, { model: 'cached', store: false, ...body })
}

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_770_000_000,
  status: 'completed',
  error: null,
  model: 'upstream-model',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Héllo', annotations: [], logprobs: [] }],
    },
  ],
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
}
const BEGUN = { ...RESPONSE, status: 'in_progress', output: [], usage: null }
const LINES = [
  { type: 'response.created', sequence_number: 0, response: BEGUN },
  { type: 'response.output_text.delta', sequence_number: 1, output_index: 0, content_index: 0, delta: 'Héllo' },
  { type: 'response.completed', sequence_number: 2, response: RESPONSE },
].map((event) => JSON.stringify(event))

describe('a response that is not kept by its provider', () => {
  it('is given again as it came, and as a stream', async () => {
    own.upstream.next(replayAnswer(RESPONSE))
    const first = await ask({ input: 'whole' })
    const again = await ask({ input: 'whole' })
    assert.deepEqual([first.headers['x-cache'], again.headers['x-cache']], ['MISS', 'HIT'])
    assert.equal(again.text, first.text)
    const stream = own.openai.responses.stream({ model: 'cached', store: false, input: 'whole' })
    const numbers: number[] = []
    stream.on('event', ({ sequence_number: number }) => numbers.push(number))
    const final = await stream.finalResponse()
    assert.equal(final.output_text, 'Héllo')
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i),
    )
    assert.equal(own.upstream.requests.length, 1)
  })

  it('is given whole, too, where it was streamed', async () => {
    const { length } = own.upstream.requests
    own.upstream.next(replayStream('responses', LINES))
    const streamed = await ask({ input: 'streamed', stream: true })
    assert.equal(streamed.headers['x-cache'], 'MISS')
    assert.equal((await ask({ input: 'streamed', stream: true })).text, streamed.text)
    const whole = await ask({ input: 'streamed' })
    assert.equal(whole.headers['x-cache'], 'HIT')
    assert.deepEqual(JSON.parse(whole.text), { ...RESPONSE, model: 'cached' })
    assert.equal(own.upstream.requests.length, length + 1)
  })
})

describe('a response whose stream breaks off', () => {
  it('ends with an event of the next number, and is asked for again', async () => {
    const { length } = own.upstream.requests
    own.upstream.next(replayStream('responses', LINES.slice(0, -1)), replayStream('responses', LINES))
    const broken = await ask({ input: 'broken', stream: true })
    const last = JSON.parse(broken.text.trimEnd().split('\ndata: ').at(-1)!)
    assert.deepEqual([last.type, last.sequence_number], ['error', LINES.length - 1])
    const again = await ask({ input: 'broken', stream: true })
    assert.equal(again.headers['x-cache'], 'MISS')
    assert.match(again.text, /"response\.completed"/)
    assert.equal(own.upstream.requests.length, length + 2)
  })
})

describe('a response whose stream an operator ends', () => {
  /** Asks for it, has it ended after the delta, and returns the number of the event that says so. */
  async function numberOfTheEnd(model: string, outcome: string): Promise<number> {
    const requestId = uniqueName('ended')
    const body = { model, store: false, input: 'ended', stream: true }
    const answer = await own.open(PATH, body, { 'x-request-id': requestId })
    assert.equal(answer.headers['x-cache'], outcome)
    await answer.until('output_text.delta')
    const { inFlight } = await answerTo(own.control, {})
    const { id } = inFlight.map(parseInFlight).find((one) => one.requestId === requestId)!
    assert.equal((await answerTo(own.control, { request: id, cancel: true })).cancelled, true)
    const { body: rest } = await answer.rest()
    const last = JSON.parse(rest.toString().trimEnd().split('\ndata: ').at(-1)!)
    assert.deepEqual([last.type, last.code], ['error', 'admin_cancelled'])
    return last.sequence_number
  }

  /** Says so much of it, and then nothing more until it is let go, or the rest after a while. */
  function begun(pauseMs: number | null): Behaviour {
    return async (exchange) => {
      exchange.head(200, { 'content-type': 'text/event-stream' })
      await writeFramed(exchange, LINES.slice(0, 2), { done: null })
      if (pauseMs === null) return exchange.untilOver()
      await exchange.pause(pauseMs)
      await writeFramed(exchange, LINES.slice(2), { done: null })
      exchange.end()
    }
  }

  for (const [model, outcome] of [
    ['plain', 'BYPASS'],
    ['paced', 'MISS'],
  ] as const) {
    it(`says so by an event of the next number, as it comes: ${outcome}`, async () => {
      own.upstream.next(begun(null))
      assert.equal(await numberOfTheEnd(model, outcome), 2)
    })
  }

  it('says so by an event of the next number, while it is played', async () => {
    own.upstream.next(begun(5_000))
    assert.equal((await ask({ model: 'paced', input: 'ended', stream: true })).headers['x-cache'], 'MISS')
    assert.equal(await numberOfTheEnd('paced', 'HIT'), 2)
  })
})

describe('a response that repeats a schema with a member of the name "error"', () => {
  it('is given again', async () => {
    const schema = { type: 'object', properties: { error: { type: 'string' } } }
    const tools = [{ type: 'function', name: 'report', parameters: schema, strict: false }]
    const repeated = { ...RESPONSE, tools }
    const lines = [{ ...JSON.parse(LINES[0]!), response: { ...BEGUN, tools } }, JSON.parse(LINES[1]!)]
    const end = { ...JSON.parse(LINES[2]!), response: repeated }
    own.upstream.next(replayAnswer(repeated))
    await ask({ input: 'schema', tools })
    assert.equal((await ask({ input: 'schema', tools })).headers['x-cache'], 'HIT')
    own.upstream.next(
      replayStream(
        'responses',
        [...lines, end].map((line) => JSON.stringify(line)),
      ),
    )
    await ask({ input: 'schema, streamed', tools, stream: true })
    assert.equal((await ask({ input: 'schema, streamed', tools, stream: true })).headers['x-cache'], 'HIT')
  })
})

describe('a response that repeats whom it is for', () => {
  it('is nobody else’s', async () => {
    for (const mine of [{ user: 'ann' }, { user: 'bob' }, { metadata: { a: 'b' } }]) {
      own.upstream.next(replayAnswer({ ...RESPONSE, ...mine }))
      const { headers, text } = await ask({ input: 'mine', ...mine })
      assert.equal(headers['x-cache'], 'MISS')
      assert.deepEqual(JSON.parse(text), { ...RESPONSE, ...mine, model: 'cached' })
    }
  })
})

describe('a response that its provider keeps', () => {
  it('is asked for each time', async () => {
    for (const kept of [{ store: true }, { store: undefined }, { conversation: 'c' }, { background: true }]) {
      own.upstream.next(replayAnswer(RESPONSE), replayAnswer(RESPONSE))
      for (let i = 0; i < 2; i++) assert.equal((await ask({ input: 'kept', ...kept })).headers['x-cache'], 'BYPASS')
    }
  })
})

describe('a response that several clients share', () => {
  it('ends for each with an event of the next number, where it is cut', async () => {
    own.upstream.next(async (exchange) => {
      exchange.head(200, { 'content-type': 'text/event-stream' })
      await writeFramed(exchange, LINES.slice(0, -1), { done: null })
      await exchange.untilOver()
    })
    const body = { model: 'cached', store: false, input: 'shared', stream: true }
    const begun = []
    for (let i = 0; i < 2; i++) {
      const answer = await own.open(PATH, body)
      await answer.until('output_text.delta')
      begun.push(answer)
    }
    assert.equal(begun[1]!.headers['x-cache'], 'COALESCED')
    const revoked = own.snapshot.at(2)
    own.control.publish({ ...revoked, tokens: revoked.tokens.map((one) => ({ ...one, revoked: true })) })
    for (const answer of begun) {
      const { body: rest } = await answer.rest()
      const last = JSON.parse(rest.toString().trimEnd().split('\ndata: ').at(-1)!)
      assert.deepEqual([last.type, last.code, last.sequence_number], ['error', 'token_revoked', LINES.length - 1])
    }
  })
})
