/** Control's log: what became of each operation, under its request id, and nothing of what was sent. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { INGEST_RECORDS_MUTATION, newId } from '@millrace/shared'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { send } from '../helpers/http.ts'
import { startPostgres, type Database } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import { sample } from './sample.ts'

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
const stack = new AsyncDisposableStack()
if (!('skip' in server)) stack.use(server)
after(() => stack.disposeAsync())

let database: Database
let control: ControlProcess
before(async () => {
  if ('skip' in server) return
  database = stack.use(await server.createDatabase())
  control = stack.use(await startControl({ databaseUrl: database.url, env: { MILLRACE_LOG_LEVEL: 'debug' } }))
})

/** Stands in whatever a client sends that is nobody else's. */
const SECRET = 'hunter2'

/** Sends an operation, and returns its answer and the lines of the log under its request id. */
async function logged(
  query: string,
  variables: object,
  key = control.adminKey,
): Promise<{ answer: any; lines: any[] }> {
  const requestId = newId()
  const headers = { 'content-type': 'application/json', 'x-request-id': requestId, authorization: `Bearer ${key}` }
  const body = JSON.stringify({ query, variables })
  const { text, headers: answered } = await send(`${control.url}/graphql`, { headers, body })
  assert.equal(answered['x-request-id'], requestId)
  const lines = await waitFor(() => {
    const found = control
      .output()
      .stderr.split('\n')
      .filter((line) => line.includes(requestId))
      .map((line) => JSON.parse(line))
    return found.some(({ ms }) => ms !== undefined) && found
  })
  return { answer: JSON.parse(text), lines }
}

test('has a line for each operation', { skip }, async () => {
  const create = 'mutation Make($input: CreateProviderInput!) { createProvider(input: $input) { id } }'
  const input = { name: SECRET, kind: 'OPENAI', apiKeys: [`sk-${SECRET}`] }
  const made = await logged(create, { input })
  assert.equal(made.answer.errors, undefined)
  const [line, ...more] = made.lines
  assert.equal(more.length, 0)
  const { level, operation, kind, outcome, ms } = line
  assert.deepEqual([level, operation, kind, outcome, typeof ms], [20, 'Make', 'mutation', 'ok', 'number'])

  const again = await logged(create, { input })
  assert.deepEqual(
    again.lines.map(({ outcome: code }) => code),
    ['CONFLICT'],
  )
  const wrong = await logged(`{ tokens(search: "${SECRET}", first: 0) { edges { cursor } } }`, {})
  assert.deepEqual([wrong.lines[0].outcome, wrong.lines[0].kind], ['BAD_USER_INPUT', 'query'])
  const nobody = await logged('query Who { viewer { id } }', {}, `mr-${SECRET}`)
  assert.equal(nobody.lines[0].outcome, 'UNAUTHENTICATED')
  assert.equal((await logged(`{ ${SECRET} }`, {})).lines[0].outcome, 'GRAPHQL_VALIDATION_FAILED')
  assert.ok(!control.output().stderr.includes(SECRET))
})

test('tells what failed of the database, but not what it was asked', { skip }, async () => {
  await database.query(`create function fail() returns trigger language plpgsql as $$ begin
      raise exception using errcode = 'P0001', message = 'it fails', detail = 'for ' || new.model;
    end $$`)
  await database.query('create trigger fail before insert on request_record for each row execute function fail()')
  const record = sample({ model: SECRET, userKey: SECRET })
  const { answer, lines } = await logged(INGEST_RECORDS_MUTATION, { records: [record] }, control.proxyKey)
  assert.equal(answer.errors[0].extensions.code, 'INTERNAL_SERVER_ERROR')
  const [failure] = lines
  assert.deepEqual([failure.level, failure.err.code, failure.err.message], [50, 'P0001', 'it fails'])
  assert.match(failure.err.stack, /ingest/)
  assert.equal(lines.at(-1).outcome, 'INTERNAL_SERVER_ERROR')
  assert.ok(!control.output().stderr.includes(SECRET))
})
