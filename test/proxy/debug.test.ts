/** What a debug capture keeps of requests and answers: all that was said, and no secret. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { uniqueName, UPSTREAM_KEY } from '../helpers/gateway.ts'
import { begin, open, send, type Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import type { SeenRequest } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { Debugging, idOf } from './debug/debugging.ts'

const PASSED = { passthrough: { endpoints: ['/v1/things/*'] } }

const scene = useScene(
  { env: { MILLRACE_LOG_LEVEL: 'debug', MILLRACE_DRAIN_SECONDS: '1' } },
  async ({ gateway, upstream }) => {
    debugging = new Debugging(gateway)
    await gateway.addProvider(upstream.baseUrl, { name: 'passing', settings: PASSED })
  },
)
let debugging: Debugging

const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  send(`${scene.gateway.baseUrl}${path}`, {
    method: 'GET',
    headers: { authorization: `Bearer ${scene.gateway.token}`, ...headers },
  })
/** A body that says this. */
const saying = (content: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ ...scene.body(scene.alias, more), messages: [{ role: 'user', content }] })

test('an exchange is what the client sent and got', async () => {
  const body = saying('Grüße \u{1f600}\n')
  const answer = await debugging.while({ retentionHours: 3 }, () =>
    scene.chat(body, { 'x-custom': 'kept', 'x-request-id': 'debugged-1' }),
  )
  const captured = await debugging.of(answer)
  assert.equal(answer.status, 200)
  assert.deepEqual(
    [captured.requestBody, captured.responseBody, captured.responseStatus, captured.truncated],
    [body, answer.text, 200, false],
  )
  const { requestId, method, target, model, requestHeaders, responseHeaders } = captured
  assert.deepEqual([requestId, method, target, model], ['debugged-1', 'POST', '/v1/chat/completions', scene.alias])
  assert.equal(requestHeaders['x-custom'], 'kept')
  assert.equal(requestHeaders['authorization'], '[redacted]')
  for (const name of ['x-millrace-id', 'x-millrace-provider', 'content-length', 'content-type'])
    assert.equal(responseHeaders[name], answer.headers[name], name)
  const record = await scene.gateway.record('debugged-1')
  assert.deepEqual([captured.id, captured.at], [record.id, record.startedAt])
  assert.equal(captured.project!.id, await scene.gateway.projectId())
  assert.ok(captured.token!.id)
  const hours = (Date.parse(captured.expiresAt) - Date.now()) / 3_600_000
  assert.ok(hours > 2.8 && hours <= 3, captured.expiresAt)
})

test('an upload that is passed on unread is kept, and loses nothing by it', async () => {
  const body = `--b\r\n\r\n${'sound'.repeat(100_000)}\r\n--b--`
  const answer = await debugging.while({ maxBodyBytes: 1_000 }, () =>
    send(`${scene.gateway.baseUrl}/things/upload`, {
      headers: {
        authorization: `Bearer ${scene.gateway.token}`,
        'content-type': 'multipart/form-data; boundary=b',
        'x-millrace-provider': 'passing',
      },
      body,
    }),
  )
  const captured = await debugging.of(answer)
  assert.equal(answer.status, 200)
  assert.equal(scene.upstream.last.body.toString(), body)
  assert.deepEqual(
    [captured.requestBody, captured.responseBody, captured.truncated],
    [body.slice(0, 1_000), answer.text.slice(0, 1_000), true],
  )
})

test('a stream is its events as they were sent, without the framing of HTTP', async () => {
  const streams = await debugging.while({}, async () => [
    await scene.chat(saying('a stream', { stream: true })),
    await scene.chat(saying('its usage', { stream: true, stream_options: { include_usage: true } }), {
      'x-millrace-include': 'metadata',
    }),
  ])
  for (const answer of streams) {
    assert.match(answer.text, /data: \[DONE\]\n\n$/)
    assert.equal((await debugging.of(answer)).responseBody, answer.text)
  }
})

test('errors, refusals and what the proxy knows itself are captured too', async () => {
  scene.upstream.on('refusing', behaviours.badRequest())
  await scene.gateway.addAlias('refusing', [{ provider: scene.provider, providerModel: 'refusing' }])
  await scene.gateway.untilServed()
  const answers = await debugging.while({}, async () => [
    await scene.chat('not JSON'),
    await scene.chat(saying('x', { model: 'nowhere' })),
    await scene.chat(saying('x', { model: 'refusing' })),
    await get('/models'),
    await get(`/models/${scene.alias}`),
    await get('/nothing'),
    await send(`${scene.gateway.baseUrl}/models`, {
      headers: { authorization: `Bearer ${scene.gateway.token}` },
      body: 'not asked for',
    }),
  ])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [400, 404, 400, 200, 200, 404, 405],
  )
  for (const answer of answers) {
    const { responseBody, responseStatus, responseHeaders } = await debugging.of(answer)
    assert.deepEqual([responseStatus, responseBody], [answer.status, answer.text])
    assert.equal(responseHeaders['x-millrace-id'], idOf(answer))
  }
  assert.equal((await debugging.of(answers[0]!)).requestBody, 'not JSON')
  assert.equal((await debugging.of(answers[3]!)).requestBody, null)
  const head = await debugging.while({}, () =>
    send(`${scene.gateway.baseUrl}/nothing`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${scene.gateway.token}` },
    }),
  )
  assert.equal(head.status, 404)
  assert.equal((await debugging.of(head)).responseBody, null)
})

test('who has no token is not captured', async () => {
  const [refused, later] = await debugging.while({}, async () => [
    await scene.chat(saying('x'), { authorization: 'Bearer sk-mr-000000000000-nobody' }),
    await get('/models'),
  ])
  assert.equal(refused.status, 401)
  await debugging.assertNone([refused], later)
})

test('a client that goes, and a stream that is cut off, leave what they got', async () => {
  const slow = await scene.behaving(uniqueName('slow'), behaviours.stall('mid-body'))
  const silent = await scene.behaving(uniqueName('silent'), behaviours.stall('before-headers'))
  const cut = await scene.behaving(uniqueName('cut'), behaviours.cutOff('mid-body'))
  await debugging.on()
  const gone = await scene.open(scene.body(slow, { stream: true }))
  const got = await gone.until('data:')
  gone.abort()
  const requestId = uniqueName('silent')
  const asked = open(scene.chatUrl, {
    headers: { authorization: `Bearer ${scene.gateway.token}`, 'x-request-id': requestId },
    body: JSON.stringify(scene.body(silent)),
  })
  asked.catch(() => undefined)
  await waitFor(() => scene.upstream.requests.some(({ model }) => model === silent))
  const truncated = await scene.chat(scene.body(cut, { stream: true }))
  await scene.gateway.proxy.restart()
  const later = await debugging.of(truncated)
  assert.equal(later.responseBody, truncated.text)
  assert.match(truncated.text, /stream_truncated/)
  const left = await debugging.of(gone)
  assert.equal(left.responseStatus, 200)
  assert.ok(left.responseBody!.startsWith(got), left.responseBody!)
  // Its process has ended: it was told so, and what it got is stored all the same.
  const ended = await debugging.ofRequest(requestId)
  assert.equal(ended.responseStatus, 503)
  assert.match(ended.responseBody!, /shutting_down/)
  await asked
})

test('what passes through is captured: text as it is, other bytes by their number', async () => {
  const { upstream } = scene
  const pages = { '/v1/things/text': 'plain', '/v1/things/bytes': Buffer.from([0xff, 0xd8, 0, 1, 2]) }
  upstream.on('', (exchange) => {
    const body = pages[exchange.seen.url.split('?')[0] as keyof typeof pages] ?? 'none'
    const headers = { 'content-type': 'x/y', constructor: 'built' }
    return behaviours.raw(body, { headers, gzip: exchange.seen.url.includes('gzip') })(exchange)
  })
  const [text, bytes, zipped] = await debugging.while({}, async () => [
    await get('/things/text?api_key=abcdefgh&a=1'),
    await get('/things/bytes'),
    await get('/things/text?gzip'),
  ])
  assert.deepEqual([text.status, text.text], [200, 'plain'])
  const first = await debugging.of(text)
  assert.deepEqual([first.responseBody, first.target], ['plain', '/v1/things/text?api_key=[redacted]&a=1'])
  assert.equal(first.responseHeaders['constructor'], 'built')
  const second = await debugging.of(bytes)
  assert.deepEqual([second.responseBody, second.truncated], ['[5 bytes that are no text]', true])
  const third = await debugging.of(zipped)
  assert.match(third.responseBody!, /^\[\d+ bytes, content-encoding gzip\]$/)
})

test('bodies are cut to size, at a whole character', async () => {
  const body = saying('é'.repeat(1_000))
  const lengths = []
  for (const maxBodyBytes of [501, 502]) {
    const answer = await debugging.while({ maxBodyBytes }, () => scene.chat(body))
    const { requestBody, truncated } = await debugging.of(answer)
    assert.ok(truncated && body.startsWith(requestBody!))
    lengths.push(Buffer.byteLength(requestBody!))
  }
  // One of the two cuts lies within a character.
  assert.ok(lengths[0] === lengths[1] || lengths[0]! + 2 === lengths[1], String(lengths))
})

test('no secret is kept: not in headers, not in bodies, however it is sent, nor the half of one', async () => {
  const { gateway } = scene
  const key = encodeURIComponent(UPSTREAM_KEY)
  const echo = `${UPSTREAM_KEY} ${Buffer.from(UPSTREAM_KEY).toString('base64')} ${Buffer.from(UPSTREAM_KEY).toString('hex')}`
  const model = await scene.behaving(uniqueName('echo'), (exchange) =>
    exchange.streams
      ? behaviours.answer({ words: ['the key is ', echo, ' indeed'], split: 3 })(exchange)
      : behaviours.raw(JSON.stringify({ choices: [], said: echo, key, got: Object.values(exchange.seen.headers) }), {
          headers: { 'x-echo': echo },
        })(exchange),
  )
  const others = {
    openai: `sk-proj-${'Ab1_'.repeat(10)}`,
    google: `AIza${'b'.repeat(35)}`,
    amazon: 'AKIAABCDEFGHIJKLMNOP',
    jwt: `eyJ${'hbGciOi'.repeat(9)}.eyJ${'zdWIiOi'.repeat(9)}.${'sig0'.repeat(9)}`,
  }
  const content = `token ${gateway.token}\nBearer ${'t'.repeat(20)}\n${Object.values(others).join('\n')}`
  const headers = {
    cookie: 'session=hidden-cookie',
    'x-api-key': 'hidden-api-key',
    'x-goog-api-key': 'hidden-goog-key',
    'x-millrace-upstream-key': 'hidden-upstream-key',
    'x-authtoken': 'hidden-token',
    'x-other': `see ${gateway.token}`,
  }
  const bodies = [{}, { stream: true }].map((more) => ({
    ...scene.body(model, more),
    messages: [{ role: 'user', content }],
  }))
  // The cut lies within the token, after less of it than looks like one.
  const at = JSON.stringify(bodies[0]).indexOf(gateway.token) + 10
  const exchanges = []
  for (const maxBodyBytes of [65_536, at])
    exchanges.push(
      ...(await debugging.while({ maxBodyBytes }, async () => {
        const answers = []
        for (const body of bodies) answers.push(await scene.chat(body, headers))
        return Promise.all(answers.map((answer) => debugging.of(answer)))
      })),
    )
  const all = JSON.stringify(exchanges)
  assert.equal(exchanges.length, 4)
  const secrets = [gateway.token, UPSTREAM_KEY, echo.split(' ')[1]!, echo.split(' ')[2]!, ...Object.values(others)]
  for (const secret of [...secrets, gateway.token.slice(0, 10), 't'.repeat(20), 'hidden'])
    assert.ok(
      !all.includes(secret),
      `${secret} in ${all.slice(Math.max(0, all.indexOf(secret) - 200), all.indexOf(secret) + 100)}`,
    )
  assert.match(exchanges[0]!.requestBody!, /token \[redacted\]\\n\[redacted\]\\n\[redacted\]/)
  assert.match(exchanges[0]!.responseHeaders['x-echo']!, /^\[redacted\] \[redacted\]\S* \[redacted\]$/)
  assert.match(exchanges[1]!.responseBody!, /"content":"\[redacted\] \[redacted\]/)
  for (const { requestHeaders } of exchanges) assert.equal(requestHeaders['x-other'], 'see [redacted]')
})

test('only what is asked for is captured: by token, by model', async () => {
  const { id, secret } = await scene.gateway.addToken()
  await scene.gateway.untilServed()
  const other = await scene.gateway.serve(scene.upstream.baseUrl)
  const [first, of] = await debugging.while({ tokens: [id] }, async () => [
    await scene.chat(scene.body()),
    await scene.chat(scene.body(), { authorization: `Bearer ${secret}` }),
  ])
  await debugging.assertNone([first], of)
  assert.equal((await debugging.of(of)).token!.id, id)
  const [none, unread, matched] = await debugging.while({ models: ['scene-*', 'never'] }, async () => [
    await scene.chat(scene.body(other)),
    await scene.chat('not JSON'),
    await scene.chat(scene.body()),
  ])
  await debugging.assertNone([none, unread], matched)
})

test('what turns out not to be wanted leaves room for what is', async () => {
  const silent = await scene.behaving(uniqueName('silent'), behaviours.stall('before-headers'))
  const body = saying('x'.repeat(1_048_576), { model: silent })
  await debugging.on({ models: ['never'], maxBodyBytes: 1_048_576 })
  // More than a process keeps.
  const clients = Array.from({ length: 34 }, () =>
    begin(scene.chatUrl, { headers: { authorization: `Bearer ${scene.gateway.token}` } }),
  )
  for (const { request } of clients) request.end(body)
  const asked = (): SeenRequest[] => scene.upstream.requests.filter(({ model }) => model === silent)
  await waitFor(() => asked().length === clients.length, { what: 'all to be asked for', timeoutMs: 30_000 })
  for (const { request } of clients) request.destroy()
  await Promise.all(asked().map(({ ended }) => ended))
  const answer = await debugging.while({ maxBodyBytes: 1_048_576 }, () => scene.chat(saying('x'.repeat(1_048_576))))
  assert.equal((await debugging.of(answer)).responseBody, answer.text)
})

test('what was said stands nowhere else', async () => {
  const mark = uniqueName('said-by-nobody')
  const answer = await debugging.while({}, () => scene.chat(saying(mark)))
  assert.match((await debugging.of(answer)).requestBody!, new RegExp(mark))
  const { control, proxy } = scene.gateway
  for (const { stdout, stderr } of [control.output(), proxy.output()]) assert.ok(!`${stdout}${stderr}`.includes(mark))
  const record = await scene.gateway.record(String(answer.headers['x-request-id']))
  assert.ok(!JSON.stringify(record).includes(mark))
})
