/** What comes back to requests that are passed on with a body: bytes, events, JSON; and what is read of it. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { DEFAULT_TIMEOUTS } from '@millrace/shared'

import { assertError } from '../helpers/error-shape.ts'
import { residentMegabytes } from '../helpers/memory.ts'
import { uniqueName } from '../helpers/names.ts'
import { events, raw } from '../helpers/upstream/answers.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
const SPEECH = '/v1/audio/speech'
const IMAGES = '/v1/images/generations'
const MEBIBYTE = 1024 * 1024
const USAGE =
  '{"input_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40,"cached_tokens":3},"output_tokens":70,"total_tokens":120}'

before(async () => {
  passing = await startPassing({ MILLRACE_MAX_BODY_BYTES: String(MEBIBYTE) })
  passing.guarded.addAlias('pictures', {
    painter: { providerModel: 'gpt-image-1', provider: { kind: 'OPENAI_COMPATIBLE' } },
  })
  passing.guarded.addAlias('voice', { speaker: { providerModel: 'their-voice' } })
  for (const model of ['gpt-image-1', 'their-voice', 'm']) passing.answering(model)
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

const paint = (more: object = {}, options: Parameters<Passing['post']>[2] = {}) =>
  passing.post(IMAGES, { model: 'pictures', prompt: 'a mill', ...more }, options)

describe('sound', () => {
  test('comes to the official SDK byte by byte', async () => {
    const sound = randomBytes(700_001)
    passing.page(SPEECH, raw(sound, { headers: { 'content-type': 'audio/mpeg' }, chunked: 50_000 }))
    const answer = await passing.client().audio.speech.create({ model: 'voice', voice: 'alloy', input: 'hello' })
    assert.equal(answer.headers.get('content-type'), 'audio/mpeg')
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), sound)
    assert.equal(passing.asked(SPEECH).at(-1)!.model, 'their-voice')
  })

  test('begins before it is complete', async () => {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    passing.page(SPEECH, async (exchange) => {
      exchange.head(200, { 'content-type': 'audio/mpeg' })
      await exchange.writeWhole('first')
      await released
      await exchange.writeWhole('last')
      exchange.end()
    })
    const answer = await passing.client().audio.speech.create({ model: 'voice', voice: 'alloy', input: 'hello' })
    const reader = answer.body!.getReader()
    assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'first')
    release()
    assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'last')
  })

  test('that is slowly heard is not held here', { timeout: 60_000 }, async () => {
    passing.page(SPEECH, behaviours.endless())
    const idle = residentMegabytes(passing.guarded.pid)
    const body = JSON.stringify({ model: 'voice', input: 'x' })
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    const answer = await passing.open(SPEECH, options)
    answer.stream.pause()
    const seen = passing.asked(SPEECH).at(-1)!
    let last = -1
    const held = await waitFor(
      () => {
        const still = seen.bytesSent === last && last > 0
        last = seen.bytesSent
        return still && last
      },
      { intervalMs: 500, timeoutMs: 30_000, what: 'the upstream to be held up' },
    )
    assert.ok(held < 32 * MEBIBYTE, `${held} bytes were taken`)
    const now = residentMegabytes(passing.guarded.pid)
    if (idle !== null && now !== null) assert.ok(now - idle < 60, `${now - idle} MB more`)
    answer.abort()
    const ended = await within(2_000, 'the end upstream', seen.ended)
    assert.deepEqual([ended.finished, ended.cutByUs], [false, false])
  })

  test('that is cut off is seen to be', async () => {
    passing.page(SPEECH, async (exchange) => {
      exchange.head(200, { 'content-type': 'audio/mpeg' })
      await exchange.writeWhole('half of it')
      await exchange.cut()
    })
    const answer = await passing.post(SPEECH, { model: 'voice', input: 'x' })
    assert.deepEqual([answer.status, answer.complete], [200, false])
    const record = await passing.guarded.record(answer)
    assert.deepEqual([record.status, record.attempts.length], ['ERROR', 1])
  })

  test('that stands still is given up', async () => {
    passing.provider('sluggish', ['/v1/sluggish/*'], { timeouts: { ...DEFAULT_TIMEOUTS, idle: 300 } })
    await passing.guarded.serve()
    passing.page('/v1/sluggish/x', async (exchange) => {
      exchange.head(200, { 'content-type': 'audio/mpeg' })
      await exchange.writeWhole('half of it')
      await exchange.untilOver()
    })
    const answer = await within(10_000, 'the end', passing.post('/v1/sluggish/x', '{}'))
    assert.equal(answer.complete, false)
    const record = await passing.guarded.record(answer)
    assert.deepEqual([record.status, record.attempts[0]!.errorClass], ['TIMEOUT', 'idle_timeout'])
  })
})

describe('a stream of events', () => {
  const EVENTS = [
    `{"type":"image_generation.partial_image","b64_json":"${'a'.repeat(300_000)}","usage":null}`,
    `{"type":"image_generation.completed","b64_json":"${'b'.repeat(300_000)}","note":"\\"usage\\":{\\"input_tokens\\":1}","usage":${USAGE},"size":"1x1"}`,
  ]

  test('comes as it is, as it comes, and its usage counts', async () => {
    passing.page(IMAGES, events(EVENTS, { done: null, split: 40_000 }))
    const answer = await paint({ stream: true })
    assert.equal(answer.text, EVENTS.map((one) => `data: ${one}\n\n`).join(''))
    assert.match(String(answer.headers['content-type']), /^text\/event-stream/)
    assert.equal(answer.headers['x-accel-buffering'], 'no')
    const record = await passing.guarded.record(answer)
    assert.deepEqual(
      [record.stream, record.usage.inputTokens, record.usage.outputTokens, record.usage.cachedInputTokens],
      [true, 50, 70, 3],
    )
    assert.ok(record.timeToFirstTokenMs !== null)
  })

  test('of which nothing comes is given up by the first-token time-out', async () => {
    passing.provider('mute', ['/v1/mute/*'], { timeouts: { ...DEFAULT_TIMEOUTS, firstToken: 200 } })
    await passing.guarded.serve()
    passing.page('/v1/mute/x', (exchange) => exchange.untilOver())
    const answer = await within(20_000, 'the answer', passing.post('/v1/mute/x', '{"stream":true}'))
    assertError(answer, { status: 504, type: 'timeout_error', code: 'upstream_timeout' })
  })

  test('nobody waits for any more is let go', async () => {
    passing.page(IMAGES, behaviours.endless())
    const id = uniqueName('gone')
    const body = JSON.stringify({ model: 'pictures', stream: true })
    const headers = { 'content-type': 'application/json', 'x-request-id': id }
    const answer = await passing.open(IMAGES, { method: 'POST', headers, body })
    await new Promise((resolve) => answer.stream.once('data', resolve))
    const seen = passing.asked(IMAGES).at(-1)!
    answer.abort()
    const ended = await within(1_000, 'the end upstream', seen.ended)
    assert.deepEqual([ended.finished, ended.cutByUs], [false, false])
    const record = await passing.guarded.record({ headers: { 'x-request-id': id } })
    assert.deepEqual([record.status, record.errorClass], ['CANCELLED', 'client_cancelled'])
  })
})

describe('JSON', () => {
  test('has its usage read, and its model as the client knows it; else it comes as it is', async () => {
    const body = `{ "created": 1.0,\t"data":[{"b64_json":"aGk=","model":"gpt-image-1"}], "model":"gpt-image-1", "usage": ${USAGE}, "z":null }\n`
    passing.page(IMAGES, raw(body, { headers: { 'openai-processing-ms': '7' } }))
    const answer = await paint()
    assert.equal(answer.text, body.replace('"model":"gpt-image-1", "usage"', '"model":"pictures", "usage"'))
    assert.equal(answer.headers['content-length'], String(answer.body.length))
    assert.equal(answer.headers['openai-processing-ms'], '7')
    const record = await passing.guarded.record(answer)
    assert.deepEqual(
      [record.usage.inputTokens, record.usage.outputTokens, record.usage.cachedInputTokens, record.usage.source],
      [50, 70, 3, 'PROVIDER'],
    )
  })

  test('that tells no usage, or one that is none, has none', async () => {
    for (const body of [
      '{"results":[]}',
      '{"text":"x","usage":{"type":"duration","seconds":9}}',
      '{"usage":null}',
      '{"usage":{"input_tokens":-1,"output_tokens":"many"}}',
      '{"usage":',
      'not JSON at all',
      '[]',
      '',
    ]) {
      passing.page('/v1/moderations', raw(body))
      const answer = await passing.post('/v1/moderations', { model: 'voice' })
      assert.deepEqual([answer.status, answer.text], [200, body])
      const { usage, costUsd } = await passing.guarded.record(answer)
      assert.deepEqual([usage.source, usage.inputTokens, costUsd], ['NONE', 0, null], body)
    }
  })

  test('in every spelling of usage', async () => {
    for (const [usage, expected] of [
      [
        '{"prompt_tokens":5,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":4}}',
        [5, 6, 2, 4],
      ],
      [
        '{"input_tokens":5,"output_tokens":6,"input_tokens_details":{"cached_tokens":2},"output_tokens_details":{"reasoning_tokens":4}}',
        [5, 6, 2, 4],
      ],
      ['{"total_tokens":9}', [9, 0, 0, 0]],
      ['{"prompt_tokens":9,"total_tokens":9}', [9, 0, 0, 0]],
    ] as const) {
      passing.page('/v1/moderations', raw(`{"usage":${usage}}`))
      const record = await passing.guarded.record(await passing.post('/v1/moderations', { model: 'voice' }))
      const told = record.usage
      assert.deepEqual([told.inputTokens, told.outputTokens, told.cachedInputTokens, told.reasoningTokens], expected)
    }
  })

  test('says what it cost', async () => {
    const { guarded } = passing
    guarded.change(({ aliases }) => ({
      aliases: aliases.map((alias) =>
        alias.name === 'pictures'
          ? { ...alias, routes: alias.routes.map((route) => ({ ...route, inputPrice: 10, outputPrice: 100 })) }
          : alias,
      ),
    }))
    await guarded.serve()
    passing.page(IMAGES, raw(`{"usage":{"input_tokens":100,"output_tokens":10}}`))
    const answer = await paint()
    assert.equal(Number(answer.headers['x-millrace-cost-usd']), 0.002)
    assert.equal(Number((await guarded.record(answer)).costUsd), 0.002)
  })

  test('counts towards the limit of tokens', async () => {
    const { guarded } = passing
    const limits = { requestsPerMinute: null, tokensPerMinute: 100, maxConcurrent: null }
    const token = guarded.addToken(null, { limits })
    await guarded.serve()
    passing.page(IMAGES, raw(`{"usage":${USAGE}}`))
    assert.equal((await paint({}, { token: token.secret })).status, 200)
    const { headers } = await paint({}, { token: token.secret })
    assert.equal(headers['x-ratelimit-remaining-tokens'], '0')
  })

  test('that is larger than may be held passes unread', { timeout: 60_000 }, async () => {
    const size = 200 * MEBIBYTE
    passing.page(IMAGES, behaviours.huge(size))
    const idle = residentMegabytes(passing.guarded.pid)
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, residentMegabytes(passing.guarded.pid) ?? 0)), 20)
    const answer = await paint()
    clearInterval(watch)
    assert.deepEqual([answer.body.length, answer.complete], [size, true])
    assert.equal((await passing.guarded.record(answer)).usage.source, 'NONE')
    if (idle !== null) assert.ok(most - idle < 100, `${most - idle} MB more`)
  })

  test('without a length that grows too large passes unread, too', async () => {
    const body = `{"pad":"${'x'.repeat(2 * MEBIBYTE)}","usage":${USAGE}}`
    passing.page(IMAGES, raw(body, { chunked: 60_000 }))
    const answer = await paint()
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
    assert.equal(digest(answer.body), digest(Buffer.from(body)))
    assert.equal((await passing.guarded.record(answer)).usage.source, 'NONE')
  })

  test('that is compressed all the same comes so', async () => {
    const zipped = gzipSync(`{"usage":${USAGE}}`)
    passing.page(IMAGES, raw(zipped, { headers: { 'content-encoding': 'gzip' } }))
    const answer = await paint()
    assert.deepEqual(answer.body, zipped)
    assert.equal(answer.headers['content-encoding'], 'gzip')
  })

  test('to who asks for metadata has them', async () => {
    passing.page(IMAGES, raw('{"created":1}'))
    const answer = await paint({}, { headers: { 'x-millrace-include': 'metadata' } })
    const { metadata } = JSON.parse(answer.text) as { metadata: { provider: string } }
    assert.equal(metadata.provider, 'painter')
  })
})

describe('answers without a body, and redirects', () => {
  for (const [status, headers] of [
    [204, {}],
    [201, { location: '/v1/images/x' }],
    [303, { location: 'https://elsewhere.example/' }],
  ] as const) {
    test(`${status} comes as it is`, async () => {
      const path = `/v1/images/status-${status}`
      passing.page(path, raw(status === 201 ? '{"a":1}' : '', { status, headers }))
      const answer = await passing.post(path, { model: 'pictures' })
      assert.equal(answer.status, status)
      for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers[name], value)
      assert.equal(passing.asked(path).length, 1)
    })
  }
})
