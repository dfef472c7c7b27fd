/** What the log says of requests: a line each where it is asked for, by their id, and nothing that anybody wrote. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { send } from '../helpers/http.ts'
import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'

type Line = Record<string, unknown>

const linesOf = ({ proxy }: LoneProxy): Line[] =>
  proxy
    .output()
    .stderr.split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)

test('at level debug each request has one line', async () => {
  await using lone = await startLoneProxy({ env: { MILLRACE_LOG_LEVEL: 'debug' } })
  await lone.serve(1)
  const good = await lone.chat({ 'x-request-id': 'logged-good', 'x-secret-header': 'of the client' })
  lone.upstream.on('upstream-model', behaviours.badRequest())
  await lone.chat({ 'x-request-id': 'logged-bad' })
  const lines = await waitFor(
    () => {
      const found = linesOf(lone).filter(({ requestId }) => String(requestId).startsWith('logged-'))
      return found.length === 2 && found
    },
    { what: 'both lines' },
  )
  const { latencyMs, token, ...first } = lines[0]!
  assert.ok(Number(latencyMs) > 0 && typeof token === 'string')
  for (const name of ['time', 'pid', 'hostname', 'name']) delete first[name]
  assert.deepEqual(first, {
    level: 20,
    requestId: 'logged-good',
    record: good.headers['x-millrace-id'],
    endpoint: '/v1/chat/completions',
    status: 'SUCCESS',
    httpStatus: 200,
    errorClass: null,
    alias: lone.configuration.alias,
    provider: 'own-provider',
    attempts: 1,
    cache: 'BYPASS',
    msg: 'request finished',
  })
  assert.deepEqual(
    [lines[1]!['status'], lines[1]!['httpStatus'], lines[1]!['errorClass']],
    ['ERROR', 400, 'upstream_4xx'],
  )
  await send(`${lone.proxy.url}/v1/${'x'.repeat(9_000)}`, { method: 'GET' })
  const long = await waitFor(() => linesOf(lone).find(({ endpoint }) => String(endpoint).startsWith('/v1/xxx')))
  assert.equal(String(long['endpoint']).length, 4_096)
  const { stderr } = lone.proxy.output()
  for (const text of ['Say hello', 'Hello from', 'of the client', lone.configuration.token, 'temperature is too hot'])
    assert.ok(!stderr.includes(text), text)
})

test('at level info requests have none', async () => {
  await using lone = await startLoneProxy()
  await lone.serve(1)
  await lone.chat()
  await waitFor(() => lone.control.records.length >= 2)
  assert.doesNotMatch(lone.proxy.output().stderr, /request finished/)
})
