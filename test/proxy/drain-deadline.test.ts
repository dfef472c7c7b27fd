/** SIGTERM, and the time to drain is over: what is still under way is ended, told so, and recorded. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { assertError, assertErrorBody } from '../helpers/error-shape.ts'
import { startGateway, uniqueName, type Gateway } from '../helpers/gateway.ts'
import { begin, open, type OpenAnswer } from '../helpers/http.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { within } from '../helpers/wait.ts'

const shuttingDown = { status: 503, type: 'upstream_error', code: 'shutting_down' }
const LONG_MS = 15_000
const stack = new AsyncDisposableStack()
const ids = { stream: uniqueName('stream'), waiting: uniqueName('waiting'), upload: uniqueName('upload') }
let upstream: Upstream
let gateway: Gateway
let model: string
let stream: OpenAnswer
let waiting: Promise<OpenAnswer>
let upload: Promise<OpenAnswer>

before(async () => {
  upstream = stack.use(await startUpstream())
  gateway = stack.use(await startGateway({ proxyEnv: { MILLRACE_DRAIN_SECONDS: '1' } }))
  model = await gateway.serve(upstream.baseUrl)
  const url = `${gateway.baseUrl}/chat/completions`
  const body = (more: object): string => JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }], ...more })

  upstream.next(behaviours.stall('mid-body'), behaviours.stall('before-headers'))
  stream = await open(url, { headers: headers(ids.stream), body: body({ stream: true }) })
  await stream.until('from')
  waiting = open(url, { headers: headers(ids.waiting), body: body({}) })
  waiting.catch(() => undefined)
  await upstream.seen(2)
  const sending = begin(url, { headers: { ...headers(ids.upload), 'content-length': '100000' } })
  upload = sending.answer
  await new Promise((resolve) => sending.request.write('{"model":', resolve))
  // The bytes have left; once a later request has been answered they have been read.
  assert.equal((await gateway.fetch('/v1/models')).status, 200)
  gateway.proxy.signal('SIGTERM')
})
after(() => stack.disposeAsync())

const headers = (id: string): Record<string, string> => ({
  authorization: `Bearer ${gateway.token}`,
  'content-type': 'application/json',
  'x-request-id': id,
})

describe('when the time to drain is over', () => {
  test('a stream ends with an event that says why, and no [DONE]', async () => {
    const { body } = await within(LONG_MS, 'the end of the stream', stream.rest())
    const text = body.toString()
    assert.doesNotMatch(text, /\[DONE\]/)
    const [last] = text.split('\n\n').filter(Boolean).slice(-1)
    assertErrorBody(String(last).replace(/^data: /, ''), shuttingDown)
    const record = await gateway.record(ids.stream)
    assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['ERROR', 200, 'shutting_down'])
    assert.equal(record.attempts.at(-1)!.errorClass, 'shutting_down')
    assert.equal(record.usage.source, 'ESTIMATED')
  })

  test('an answer that has not begun is a 503', async () => {
    const answer = await within(LONG_MS, 'the answer', waiting)
    const { body } = await answer.rest()
    assertError({ status: answer.status, headers: answer.headers, text: body.toString() }, shuttingDown)
    const record = await gateway.record(ids.waiting)
    assert.deepEqual([record.status, record.httpStatus, record.errorClass], ['ERROR', 503, 'shutting_down'])
  })

  test('an upload is refused or cut off, and its record does not speak of success', async () => {
    const answer = await within(
      LONG_MS,
      'the end of the upload',
      upload.catch(() => null),
    )
    if (answer) {
      const { body } = await answer.rest()
      assertError({ status: answer.status, headers: answer.headers, text: body.toString() }, shuttingDown)
    }
    const record = await gateway.record(ids.upload)
    assert.deepEqual(record.attempts, [])
    assert.ok(['ERROR', 'REJECTED'].includes(record.status), record.status)
    assert.equal(record.errorClass, 'shutting_down')
    assert.ok(record.httpStatus >= 400, String(record.httpStatus))
  })

  test('the process ends in good order', async () => {
    const exit = await within(LONG_MS, 'the end of the process', gateway.proxy.exited)
    assert.deepEqual(exit, { code: 0, signal: null })
  })
})
