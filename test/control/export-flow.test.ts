/** Exports of a great many records: as fast as their clients read, in little memory, and visibly broken off if they fail. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'

import { newId } from '@millrace/shared'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import type { OpenAnswer } from '../helpers/http.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres, type Database } from '../helpers/postgres.ts'
import { waitFor, within } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { fetchExport, ingest, openExport } from './exporting.ts'
import { metricOf } from './measured.ts'
import { sample } from './sample.ts'

/** Each with so long a text, since it is bytes that fill memory, and rows that take time. */
const ROWS = 20_000
const TEXT = 'x'.repeat(5_000)
/** Megabytes that control has for all it holds: more than it needs, and less than the records come to. */
const HEAP = 128
/** Far more than what lies in sockets' buffers. */
const A_LOT = 4_000

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
const stack = new AsyncDisposableStack()
if (!('skip' in server)) stack.use(server)
after(() => stack.disposeAsync())

let database: Database
let control: ControlProcess

/** As many records as are wanted out of one, in one statement: to send them would take minutes. */
async function multiply(rows: number): Promise<void> {
  // Of the indexes one is read by; the others take most of the time.
  await database.query(
    'drop index request_record_facet, request_record_token, request_record_request, request_record_latency, request_record_cost',
  )
  await database.query('drop index if exists request_record_search')
  const record = sample({ model: 'multiplied', metadata: { text: TEXT } })
  await ingest(control, [record])
  await database.query(
    `insert into request_record
     select copy.* from request_record as record, generate_series(1, ${rows - 1}) as n,
       lateral jsonb_populate_record(record, jsonb_build_object(
         'id', gen_random_uuid(), 'started_at', record.started_at - make_interval(secs => n * 0.01)
       )) as copy
     where record.id = $1`,
    [record.id],
  )
}

before(async () => {
  if ('skip' in server) return
  database = stack.use(await server.createDatabase())
  const env = { MILLRACE_LOG_LEVEL: 'debug', NODE_OPTIONS: `--max-old-space-size=${HEAP}` }
  control = stack.use(await startControl({ databaseUrl: database.url, env }))
  await multiply(ROWS)
})

const underWay = () => metricOf(control, 'millrace_control_exports')
/** The audit event of the export that an answer belongs to, once there is one. */
const audited = ({ headers }: Pick<OpenAnswer, 'headers'>): Promise<any> =>
  waitFor(async () => {
    const { it } = await control.gql(documents.AUDIT)
    return it.edges.map(({ node }: any) => node).find((node: any) => node.requestId === headers['x-request-id'])
  })
/** Reads on to the end. @returns how many lines came, and whether that was all */
async function drain(answer: OpenAnswer): Promise<{ lines: number; complete: boolean }> {
  let lines = 0
  try {
    for await (const chunk of answer.stream) for (const byte of chunk as Buffer) if (byte === 10) lines++
  } catch {
    return { lines, complete: false }
  }
  return { lines, complete: answer.stream.complete }
}

test(`${ROWS} records come whole, without what is stored meanwhile, in bounded memory`, { skip }, async () => {
  using slow = await openExport(control, 'requests.ndjson?model=multiplied')
  // It has begun, and waits for this client, while others are served.
  await ingest(control, [sample({ startedAt: '2026-10-01T00:00:00.000Z', model: 'multiplied' })])
  using csv = await openExport(control, `requests.csv?limit=${A_LOT}`)
  assert.deepEqual(await drain(csv), { lines: A_LOT + 1, complete: true })
  await waitFor(async () => (await underWay()) === 1, { what: 'the slow one alone to be under way' })
  assert.deepEqual(await drain(slow), { lines: ROWS, complete: true })
  const { result, details } = await audited(slow)
  assert.deepEqual([result, details.records, details.filter], ['SUCCESS', ROWS, { model: 'multiplied' }])
})

test('for a client that stands still nothing is read, and one that goes ends the reading', { skip }, async () => {
  const answer = await openExport(control, 'requests.ndjson')
  await answer.until('\n')
  // Meanwhile so much could have been read.
  using other = await openExport(control, `requests.csv?limit=${2 * A_LOT}`)
  assert.equal((await drain(other)).complete, true)
  answer.abort()
  await waitFor(async () => (await underWay()) === 0)
  const { result, details } = await audited(answer)
  assert.equal(result, 'CLIENT_GONE')
  assert.ok(details.records < A_LOT, `${details.records} records`)
})

test('so many at once, and then another time', { skip }, async () => {
  const answers = await Promise.all(Array.from({ length: 4 }, () => openExport(control, 'requests.csv')))
  const refused = await fetchExport(control, 'requests.csv?limit=1')
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers['retry-after']) > 0)
  assert.match(refused.text, /too many exports/)
  for (const answer of answers) answer.abort()
  await waitFor(async () => (await fetchExport(control, 'requests.csv?limit=1')).status === 200)
})

test('a key that is revoked gets no more', { skip }, async () => {
  const name = uniqueName('key')
  const { it: made } = await control.gql(documents.CREATE_ADMIN_KEY, { name, role: 'VIEWER' })
  using answer = await openExport(control, 'requests.ndjson', made.secret)
  await control.gql(documents.REVOKE_ADMIN_KEY, { id: made.adminKey.id })
  // It is asked about once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  const { lines, complete } = await drain(answer)
  assert.equal(complete, false)
  assert.ok(lines < ROWS / 2, `${lines} lines`)
  assert.equal((await audited(answer)).result, 'UNAUTHENTICATED')
})

test('what fails in the middle is broken off, not ended', { skip }, async () => {
  for (const encoding of ['identity', 'gzip']) {
    using answer = await openExport(control, 'requests.ndjson', control.adminKey, { 'accept-encoding': encoding })
    assert.equal(answer.headers['content-encoding'], encoding === 'gzip' ? 'gzip' : undefined)
    await database.query('alter table request_record rename to lost')
    const { complete } = await drain(answer)
    await database.query('alter table lost rename to request_record')
    assert.equal(complete, false, encoding)
    assert.equal((await audited(answer)).result, 'INTERNAL_SERVER_ERROR')
    const requestId = answer.headers['x-request-id'] as string
    const line = new RegExp(`"requestId":"${requestId}".*"stack":".*scan\\..*an export was broken off`)
    await waitFor(() => line.test(control.output().stderr), { what: 'a line of the log' })
  }
})

test('a client of HTTP/1.0 sees it, too', { skip }, async () => {
  const { hostname, port } = new URL(control.url)
  const socket = connect(Number(port), hostname)
  const ended = new Promise<unknown>((resolve) => socket.once('error', resolve).once('end', () => resolve('the end')))
  socket.write(`GET /export/requests.ndjson HTTP/1.0\r\nauthorization: Bearer ${control.adminKey}\r\n\r\n`)
  await once(socket, 'readable')
  await database.query('alter table request_record rename to lost')
  socket.resume()
  const how = await within(30_000, 'the end', ended)
  await database.query('alter table lost rename to request_record')
  assert.equal((how as NodeJS.ErrnoException).code, 'ECONNRESET')
})

test('one that cannot begin says so', { skip }, async () => {
  await database.query('alter table request_record rename to lost')
  const answer = await fetchExport(control, `requests.csv?model=${newId()}`)
  await database.query('alter table lost rename to request_record')
  assert.deepEqual([answer.status, answer.complete], [500, true])
  const { message, extensions } = JSON.parse(answer.text).errors[0]
  assert.deepEqual([message, extensions.code], ['internal error', 'INTERNAL_SERVER_ERROR'])
  assert.equal(extensions.requestId, answer.headers['x-request-id'])
})

test('control that ends breaks off what is under way', { skip }, async () => {
  using answer = await openExport(control, 'requests.ndjson')
  await answer.until('\n')
  assert.deepEqual(await within(30_000, 'the end', control.stop()), { code: 0, signal: null })
  assert.equal((await drain(answer)).complete, false)
  await control.restart()
  assert.equal((await audited(answer)).result, 'SHUTTING_DOWN')
})
