/** Bodies that are not read here: they go to the provider as they come, once, and no faster than it takes them. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { ClientRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'

import { DEFAULT_TIMEOUTS } from '@millrace/shared'
import { toFile } from 'openai'

import { residentMegabytes } from '../helpers/memory.ts'
import { uniqueName } from '../helpers/names.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { credential, KEYS, startPassing, type Passing } from './passthrough/passing.ts'

let passing: Passing
const MEBIBYTE = 1024 * 1024
const AUDIO = '/v1/audio/transcriptions'
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=b' }

before(async () => {
  passing = await startPassing()
  await passing.guarded.serve()
})
after(() => passing[Symbol.asyncDispose]())

/** Next request: begun before its body has come. */
const next = (behaviour: Behaviour): void =>
  passing.guarded.upstream.next(Object.assign(behaviour, { beforeBody: true }))
const TO = { 'x-millrace-provider': 'own-provider' }

/** Reads a body without keeping it. */
function digesting(then: (digest: string, length: number) => Behaviour): Behaviour {
  return async (exchange) => {
    const hash = createHash('sha256')
    let length = 0
    for await (const chunk of exchange.request as AsyncIterable<Buffer>) {
      hash.update(chunk)
      length += chunk.length
    }
    await then(hash.digest('hex'), length)(exchange)
  }
}

/** Writes blocks, as fast as they are taken, until enough is written or the request is over. */
async function pour(request: ClientRequest, block: Buffer, blocks: number): Promise<void> {
  for (let i = 0; i < blocks && !request.destroyed; i++) {
    if (request.write(block)) continue
    await new Promise<void>((resolve) => {
      request.once('drain', resolve)
      request.once('close', resolve)
    })
  }
}

describe('the official SDK', () => {
  test('has audio transcribed', async () => {
    passing.page(
      AUDIO,
      raw(
        '{"text":"hello","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":45,"total_tokens":59}}',
      ),
    )
    const sound = randomBytes(300_000)
    const { data, response } = await passing
      .client(undefined, TO)
      .audio.transcriptions.create({ file: await toFile(sound, 'hello.wav'), model: 'whisper-1' })
      .withResponse()
    assert.equal(data.text, 'hello')
    const seen = passing.asked(AUDIO).at(-1)!
    assert.match(String(seen.headers['content-type']), /^multipart\/form-data; boundary=/)
    assert.ok(seen.body.includes(sound), 'every byte of it')
    assert.match(seen.body.toString('latin1'), /name="model"\r\n\r\nwhisper-1\r\n/)
    const record = await passing.guarded.record({ headers: { 'x-request-id': response.headers.get('x-request-id')! } })
    assert.deepEqual(
      [record.usage.inputTokens, record.usage.outputTokens, record.usage.inputAudioTokens, record.usage.source],
      [14, 45, 14, 'PROVIDER'],
    )
  })

  test('has an image edited', async () => {
    passing.page('/v1/images/edits', raw('{"created":1,"data":[{"b64_json":"aGk="}]}'))
    const picture = randomBytes(100_000)
    const answer = await passing.client(undefined, TO).images.edit({
      image: await toFile(picture, 'a.png', { type: 'image/png' }),
      prompt: 'brighter',
      model: 'gpt-image-1',
    })
    assert.equal(answer.data![0]!.b64_json, 'aGk=')
    assert.ok(passing.asked('/v1/images/edits').at(-1)!.body.includes(picture))
  })

  test("stores a file with its project's key", async () => {
    const { guarded } = passing
    passing.provider('store', ['/v1/files', '/v1/files/*'], {
      credentials: [credential('SHARED_API_KEY'), credential('PROJECT_API_KEY', guarded.projectId)],
    })
    await guarded.serve()
    passing.page('/v1/files', raw('{"id":"file-1","object":"file"}'))
    const file = await passing
      .client()
      .files.create({ file: await toFile(Buffer.from('{}\n'), 'a.jsonl'), purpose: 'batch' })
    assert.equal(file.id, 'file-1')
    assert.equal(passing.asked('/v1/files').at(-1)!.headers['authorization'], `Bearer ${KEYS.PROJECT_API_KEY}`)
    const stranger = guarded.addTokenOfOwnProject()
    await guarded.serve()
    await assert.rejects(
      passing
        .client(stranger.secret)
        .files.create({ file: await toFile(Buffer.from('{}\n'), 'a.jsonl'), purpose: 'batch' }),
      /upstream key of your project/,
    )
  })
})

describe('an upload', () => {
  test('keeps its length and type, and asks for nothing else', async () => {
    passing.page(AUDIO, raw('{}'))
    const headers = { ...MULTIPART, ...TO, 'content-encoding': 'gzip', cookie: 'a=b', expect: '100-continue' }
    assert.equal((await passing.ask(AUDIO, { method: 'POST', headers, body: 'x'.repeat(5_000) })).status, 200)
    const seen = passing.asked(AUDIO).at(-1)!
    assert.equal(seen.headers['content-length'], '5000')
    assert.equal(seen.headers['content-type'], MULTIPART['content-type'])
    assert.equal(seen.headers['content-encoding'], 'gzip')
    for (const name of ['transfer-encoding', 'expect', 'cookie', 'authorization'])
      assert.equal(seen.headers[name], undefined, name)
  })

  test('of unknown length comes so', async () => {
    passing.page(AUDIO, raw('{}'))
    const { request, answer } = passing.begin(AUDIO, { method: 'POST', headers: { ...MULTIPART, ...TO }, open: true })
    for (const part of ['one,', 'two,', 'three']) {
      request.write(part)
      await new Promise((resolve) => setImmediate(resolve))
    }
    request.end()
    assert.equal((await answer).status, 200)
    const seen = passing.asked(AUDIO).at(-1)!
    assert.deepEqual(
      [seen.body.toString(), seen.headers['content-length'], seen.headers['transfer-encoding']],
      ['one,two,three', undefined, 'chunked'],
    )
  })

  test('goes on as it comes, before all of it is there', async () => {
    let first = ''
    next(async (exchange) => {
      for await (const chunk of exchange.request as AsyncIterable<Buffer>) {
        first ||= chunk.toString()
      }
      await raw('{}')(exchange)
    })
    const { request, answer } = passing.begin(AUDIO, { method: 'POST', headers: { ...MULTIPART, ...TO }, open: true })
    request.write('the beginning')
    await waitFor(() => first !== '', { what: 'the beginning upstream' })
    assert.equal(first, 'the beginning')
    request.end('the end')
    assert.equal((await answer).status, 200)
  })

  test('of 200 MB is not held here', { timeout: 120_000 }, async () => {
    next(digesting((digest, length) => raw(JSON.stringify({ digest, length }))))
    const block = randomBytes(MEBIBYTE)
    const blocks = 200
    const hash = createHash('sha256')
    for (let i = 0; i < blocks; i++) hash.update(block)
    const idle = residentMegabytes(passing.guarded.pid)
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, residentMegabytes(passing.guarded.pid) ?? 0)), 20)
    const headers = { ...MULTIPART, ...TO, 'content-length': String(blocks * MEBIBYTE) }
    const { request, answer } = passing.begin(AUDIO, { method: 'POST', headers, open: true })
    await pour(request, block, blocks)
    request.end()
    const told = JSON.parse((await (await answer).rest()).body.toString()) as { digest: string; length: number }
    clearInterval(watch)
    assert.deepEqual(told, { digest: hash.digest('hex'), length: blocks * MEBIBYTE })
    if (idle !== null) assert.ok(most - idle < 120, `${most - idle} MB more than idle`)
  })

  test('waits for a provider that does not take it', { timeout: 60_000 }, async () => {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    let length = 0
    next(async (exchange) => {
      exchange.request.pause()
      await released
      await digesting((_, told) => {
        length = told
        return raw('{}')
      })(exchange)
    })
    const idle = residentMegabytes(passing.guarded.pid)
    const { request, answer } = passing.begin(AUDIO, { method: 'POST', headers: { ...MULTIPART, ...TO }, open: true })
    const poured = pour(request, Buffer.alloc(MEBIBYTE, 'x'), 100).then(() => request.end())
    let last = -1
    const taken = await waitFor(
      () => {
        const { bytesWritten = 0 } = request.socket ?? {}
        const still = bytesWritten === last && last > 0
        last = bytesWritten
        return still && last
      },
      { intervalMs: 500, timeoutMs: 20_000, what: 'the client to be held up' },
    )
    assert.ok(taken < 60 * MEBIBYTE, `${taken} bytes were taken`)
    const now = residentMegabytes(passing.guarded.pid)
    if (idle !== null && now !== null) assert.ok(now - idle < 60, `${now - idle} MB more`)
    release()
    await poured
    assert.equal((await answer).status, 200)
    assert.equal(length, 100 * MEBIBYTE)
  })

  test('is ended upstream when its client goes', async () => {
    let seen = 0
    next(async (exchange) => {
      exchange.request.on('data', (chunk: Buffer) => (seen += chunk.length))
      await exchange.untilOver()
    })
    const id = uniqueName('gone')
    const headers = { ...MULTIPART, ...TO, 'x-request-id': id, 'content-length': '1000000' }
    const { request } = passing.begin(AUDIO, { method: 'POST', headers, open: true })
    request.on('error', () => undefined)
    request.write('x'.repeat(1_000))
    await waitFor(() => seen === 1_000, { what: 'the beginning upstream' })
    const { ended } = passing.guarded.upstream.last
    request.destroy()
    const { finished, cutByUs } = await within(1_000, 'the end upstream', ended)
    assert.deepEqual([finished, cutByUs], [false, false])
    const record = await passing.guarded.record({ headers: { 'x-request-id': id } })
    assert.deepEqual([record.status, record.errorClass], ['CANCELLED', 'client_cancelled'])
    assert.equal(record.attempts[0]!.errorClass, 'client_cancelled')
  })

  test('that is too slow ends with the total time-out; that is not held against the provider', async () => {
    const timeouts = { ...DEFAULT_TIMEOUTS, total: 1_000 }
    passing.provider('hasty', ['/v1/hasty/*'], {
      timeouts,
      breaker: { ...passing.guarded.breaker, minRequests: 2 },
    })
    await passing.guarded.serve()
    for (let i = 0; i < 4; i++) {
      const { request, answer } = passing.begin('/v1/hasty/x', {
        method: 'POST',
        headers: { ...MULTIPART, 'content-length': '1000' },
        open: true,
      })
      request.write('x')
      const { status } = await within(10_000, 'the answer', answer)
      assert.equal(status, 504)
      request.destroy()
    }
    assert.equal(await passing.breakerOf('hasty'), '0')
  })
})
