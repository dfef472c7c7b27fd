/** Each fault of a provider, to a JSON answer and to a stream, with another route and with none: see faults/table.ts. */
import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { after, describe, test } from 'node:test'

import { assertError, assertErrorBody } from '../helpers/error-shape.ts'
import { uniqueName } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import { addRouted, type Routed, type RouteSpec } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import type { StoredRecord } from '../helpers/stored-record.ts'
import { unacceptingPort } from '../helpers/unaccepting.ts'
import { WORDS } from '../helpers/upstream/behaviours.ts'
import { within } from '../helpers/wait.ts'
import { faultyRoute, type Ports } from './faults/faults.ts'
import { rows, type Client, type Row } from './faults/table.ts'

/** Long after any timeout of the table, tries and pauses included. */
const LONG_MS = 60_000
const TYPES: Readonly<Record<string, string>> = { upstream_timeout: 'timeout_error' }
const typeOf = (code: string): string => TYPES[code] ?? 'upstream_error'

const table = rows()
const routed = new Map<Row, Routed<'first' | 'other'>>()
const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const scene = useScene({}, async ({ gateway, upstream }) => {
  const unaccepting = stack.use(await unacceptingPort())
  const ports: Ports = { refusing: await closedPort(), unaccepting: unaccepting.port }
  // Each row has providers of its own: a breaker or a budget that they shared would tell one of the other.
  const addRow = async (row: Row): Promise<void> => {
    const first = faultyRoute(row.fault, ports)
    const routes = { first, ...(row.beside ? { other: { priority: 1 } } : {}) }
    routed.set(row, await addRouted(gateway.control, upstream, routes as Record<'first' | 'other', RouteSpec>))
  }
  await Promise.all(table.map(addRow))
})

/** A port at which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The words that an answer consists of, wherever it broke off. */
function words({ text }: Answer, stream: boolean): string {
  if (!stream) return (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]!.message.content
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {') && event.includes('"delta"'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as { choices: { delta: { content?: string } }[] })
    .map(({ choices }) => choices[0]?.delta.content ?? '')
    .join('')
}

function assertClient(row: Row, client: Client, answer: Answer): void {
  assert.ok(answer.complete, 'the answer ends as HTTP says')
  if (client.kind === 'answer') {
    assert.equal(answer.status, 200, answer.text)
    assert.equal(words(answer, row.stream), WORDS.join(''), 'one whole answer, and nothing of another')
    assert.equal(answer.text.endsWith('data: [DONE]\n\n'), row.stream)
    assert.doesNotMatch(answer.text, /"error"/)
    assert.equal(routed.get(row)!.by(answer), client.by)
  } else if (client.kind === 'error') {
    const { status, code, retryAfter } = client
    assertError(answer, { status, type: typeOf(code), code })
    assert.equal(answer.headers['x-should-retry'], 'false', "the gateway's own attempts are used up")
    if (retryAfter !== null) {
      assert.equal(answer.headers['retry-after'], retryAfter)
      assert.ok(Number(answer.headers['retry-after-ms']) > 0)
    }
  } else if (client.kind === 'refusal') {
    assert.equal(answer.status, client.status)
    assert.deepEqual(answer.body, routed.get(row)!.seen('first')[0]!.sent)
  } else {
    assert.equal(answer.status, 200, answer.text)
    assert.doesNotMatch(answer.text, /\[DONE\]/)
    const last = answer.text.split('\n\n').filter(Boolean).at(-1)!
    assertErrorBody(last.replace(/^data: /, ''), { type: typeOf(client.code), code: client.code })
    assert.ok(words(answer, true).length > 0, 'what had come has reached the client')
  }
}

function assertRecord(row: Row, record: StoredRecord, answer: Answer): void {
  const alias = routed.get(row)!
  assert.deepEqual({ status: record.status, errorClass: record.errorClass }, row.record)
  assert.equal(record.httpStatus, answer.status)
  assert.deepEqual(
    record.attempts.map(({ errorClass }) => errorClass),
    row.attempts,
  )
  assert.deepEqual(
    record.attempts.map(({ index }) => index),
    row.attempts.map((_, index) => index),
  )
  const asked = row.calls.first ?? record.attempts.length - row.calls.other
  assert.deepEqual(alias.order(record.attempts), [
    ...Array.from({ length: asked }, () => 'first'),
    ...Array.from({ length: row.calls.other }, () => 'other'),
  ])
  assert.equal(answer.headers['x-millrace-attempts'], String(record.attempts.length))

  const { decision } = record
  assert.ok(decision, 'a routed request has a decision')
  assert.equal(decision.strategy, 'WEIGHTED')
  assert.deepEqual(alias.excluded(decision), row.beside ? { first: null, other: null } : { first: null })
  assert.equal(alias.selected(decision), row.selected)
  assert.equal(decision.selectedRoute !== null, row.selected !== null)
  assert.equal(decision.fallbackUsed, row.selected === 'other')
  const last = record.attempts.at(-1)!
  if (row.selected !== null) assert.equal(decision.selectedRoute!.id, last.routeId)
  assert.equal(record.provider?.name, last.providerName)
}

describe('a provider with', { concurrency: 8 }, () => {
  for (const row of table) {
    const form = row.stream ? 'a stream' : 'JSON'
    const name = `${row.fault}, asked for ${form}, with ${row.beside ? 'another route' : 'no other route'}`
    const hangs = row.fault !== 'connect timeout' || process.platform === 'linux'
    test(name, { skip: hangs ? false : 'a full backlog hangs on Linux only' }, async () => {
      const alias = routed.get(row)!
      const id = uniqueName('fault')
      const { stream } = row
      const asked = scene.chat(scene.body(alias.model, { stream }), { 'x-request-id': id })
      const answer = await within(LONG_MS, 'the answer', asked)
      assertClient(row, row.client, answer)
      assertRecord(row, await scene.gateway.record(id), answer)
      const { first, other } = row.calls
      if (first !== null) assert.equal(alias.calls('first'), first)
      if (row.beside) assert.equal(alias.calls('other'), other)
    })
  }
})
