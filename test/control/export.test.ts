/** Records as files: what is in them, who may have them, and what is refused. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'

import { newId, type RequestRecord } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import { RECORD_FIELDS } from '../helpers/stored-record.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { exportedIds, fetchExport, ingest, linesOf, listedIds, recordsOfCsv } from './exporting.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const CREATE_KEY =
  'mutation ($name: String!, $role: Role!, $projects: [ID!]) { it: createAdminKey(name: $name, role: $role, projects: $projects) { secret adminKey { id } } }'

const STATUSES = ['SUCCESS', 'ERROR', 'TIMEOUT', 'CANCELLED', 'REJECTED'] as const
/** More than two pages of an export. */
const MANY = 1_150
const NEWEST = Date.parse('2026-11-01T12:00:00.000Z')

/** What spreadsheets would run, and what breaks tables. */
const AWKWARD = [
  '=HYPERLINK("http://example.test","x")',
  '+1+1',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  'a,b "c" d\r\ne\nf',
  "it's = fine",
  ' ünïcödé 🦆',
]

/** Ten of each millisecond, so that pages end among equals; and a gap of a month. */
function manyRecords(project: string): RequestRecord[] {
  return Array.from({ length: MANY }, (_, i) => {
    const gap = i < MANY / 2 ? 0 : 30 * 86_400_000
    return sample({
      startedAt: new Date(NEWEST - Math.floor(i / 10) - gap).toISOString(),
      projectId: i % 3 === 0 ? project : newId(),
      model: i % 5 === 0 ? 'wanted' : 'sample',
      status: STATUSES[i % STATUSES.length]!,
      stream: i % 2 === 0,
      latencyMs: i,
      costUsd: i % 7 === 0 ? null : `0.${String(i).padStart(6, '0')}0`,
    })
  })
}

await onEachDatabase(
  (stage) => {
    let project: string
    const byKey = (key: string | null, name = 'requests.ndjson?limit=1') => fetchExport(stage.control, name, key)
    const keyOf = async (role: string, projects: string[] | null = null): Promise<string> =>
      (await stage.control.gql(CREATE_KEY, { name: uniqueName('key'), role, projects })).it.secret
    const audited = async (action: string): Promise<any[]> =>
      (await stage.control.gql(documents.AUDIT)).it.edges
        .map(({ node }: any) => node)
        .filter((node: any) => node.action === action)

    before(async () => {
      const made = await stage.control.gql(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })
      project = made.it.id
      await ingest(stage.control, manyRecords(project))
    })

    test('has what requests lists, page by page, under every filter', async () => {
      const all = await listedIds(stage.control)
      assert.ok(all.length >= MANY)
      assert.deepEqual(await exportedIds(stage.control), all)
      const from = new Date(NEWEST - 86_400_000).toISOString()
      for (const [query, filter] of [
        [`project=${project.toUpperCase()}`, { project }],
        ['status=ERROR,TIMEOUT', { status: ['ERROR', 'TIMEOUT'] }],
        ['status=ERROR&status=TIMEOUT', { status: ['ERROR', 'TIMEOUT'] }],
        ['cache=MISS', { cache: ['MISS'] }],
        ['stream=true&model=wanted', { stream: true, model: 'wanted' }],
        ['minLatencyMs=1000.5', { minLatencyMs: 1000.5 }],
        ['minCostUsd=0.0010', { minCostUsd: '0.001' }],
        ['search=WANTED', { search: 'wanted' }],
        [`from=${from}`, { from }],
        [`to=${from}`, { to: from }],
        [`to=${from}&stream=false`, { to: from, stream: false }],
        [`token=${newId()}`, { token: newId() }],
      ] as const)
        assert.deepEqual(await exportedIds(stage.control, query), await listedIds(stage.control, filter), query)
      assert.deepEqual(await exportedIds(stage.control, 'limit=1034'), all.slice(0, 1_034))
    })

    test('has the fields of a record as the API has them, and ids for what it refers to', async () => {
      const record = sample({ requestId: newId(), costUsd: '0.100', metadata: { deep: { list: [1, null, '"'] } } })
      await ingest(stage.control, [record])
      const [line, ...more] = linesOf(await fetchExport(stage.control, `requests.ndjson?requestId=${record.requestId}`))
      assert.equal(more.length, 0)
      const { request } = await stage.control.gql(`{ request(id: "${record.id}") { ${RECORD_FIELDS} } }`)
      const { project: _project, token, alias, provider, decision, ...told } = request
      assert.ok(decision)
      assert.deepEqual([token, alias, provider], [null, null, null], 'they are gone')
      const { projectId, tokenId, aliasId, providerId, attempts, ...rest } = line
      assert.deepEqual(
        [projectId, tokenId, aliasId, providerId],
        [record.projectId, record.tokenId, record.aliasId, record.providerId],
      )
      assert.deepEqual(
        { ...rest, attempts: attempts.map(({ providerId: _id, ...attempt }: any) => attempt) },
        JSON.parse(JSON.stringify(told)),
      )
      assert.equal(line.costUsd, '0.1')
    })

    test('is CSV by the book, in which no spreadsheet finds a formula', async () => {
      const requestId = newId()
      const startedAt = '2026-10-05T01:02:03.004Z'
      const records = AWKWARD.map((text, i) =>
        sample({
          id: newId(),
          requestId,
          startedAt: new Date(Date.parse(startedAt) - i).toISOString(),
          model: text,
          errorMessage: text,
          userKey: text,
          metadata: { [text]: text },
          costUsd: '12345678901234567890.00000000000000000001',
          conversationKey: null,
        }),
      )
      await ingest(stage.control, records)
      const answer = await fetchExport(stage.control, `requests.csv?requestId=${requestId}`)
      assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8; header=present')
      assert.match(answer.headers['content-disposition']!, /^attachment; filename="requests-[\dT.Z-]+\.csv"$/)
      assert.equal(answer.headers['cache-control'], 'no-store')
      const rows = recordsOfCsv(answer)
      assert.deepEqual(
        rows.map(({ id }) => id),
        records.map(({ id }) => id),
      )
      for (const [i, row] of rows.entries()) {
        const text = AWKWARD[i]!
        const guarded = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
        assert.deepEqual([row['model'], row['errorMessage'], row['userKey']], [guarded, guarded, guarded])
        assert.deepEqual(JSON.parse(row['metadata']!), { [text]: text })
        assert.equal(row['costUsd'], '12345678901234567890.00000000000000000001')
        assert.deepEqual([row['conversationKey'], row['stream'], row['attempts']], ['', 'false', '1'])
        assert.equal(row['inputTokens'], '5')
      }
      assert.equal(rows[0]!['startedAt'], startedAt)
      for (const cell of rows.flatMap((row) => Object.values(row))) assert.doesNotMatch(cell, /^[=+\-@\t\r]/)
    })

    test('has what a proxy began whose clock is ahead', async () => {
      const model = uniqueName('ahead')
      const record = sample({ model, startedAt: new Date(Date.now() + 600_000).toISOString() })
      await ingest(stage.control, [record])
      for (const query of ['', '&to=9999-12-31T00:00:00Z', '&from=0001-01-01T00:00:00Z'])
        assert.deepEqual(await exportedIds(stage.control, `model=${model}${query}`), [record.id], query)
      assert.deepEqual(await exportedIds(stage.control, `model=${model}&to=0001-01-01T00:00:00Z`), [])
    })

    test('is a header alone, or nothing, where nothing is found', async () => {
      const nothing = `model=${newId()}`
      const { text } = await fetchExport(stage.control, `requests.csv?${nothing}`)
      assert.match(text, /^id,requestId,startedAt,[^\r\n]*\r\n$/)
      assert.deepEqual(await exportedIds(stage.control, nothing), [])
    })

    test('is compressed for those who take it so', async () => {
      const headers = { 'accept-encoding': 'br;q=0.5, gzip' }
      const answer = await fetchExport(stage.control, 'requests.ndjson', stage.control.adminKey, { headers })
      assert.equal(answer.headers['content-encoding'], 'gzip')
      assert.deepEqual(
        linesOf(answer).map(({ id }) => id),
        await listedIds(stage.control),
      )
      for (const refused of ['gzip;q=0', 'GZIP; q=0.00', 'br', 'identity', 'x-gzip']) {
        const plain = await fetchExport(stage.control, 'requests.ndjson?limit=1', stage.control.adminKey, {
          headers: { 'accept-encoding': refused },
        })
        assert.equal(plain.headers['content-encoding'], undefined, refused)
      }
    })

    describe('refuses', () => {
      for (const [query, field] of [
        ['colour=blue', 'colour'],
        ['__proto__=1', '__proto__'],
        ['status=SUCCESS,LOST', 'status'],
        ['status=', 'status'],
        ['cache=hit', 'cache'],
        ['from=yesterday', 'from'],
        ['to=2026-13-01T00:00:00Z', 'to'],
        ['stream=yes', 'stream'],
        ['minLatencyMs=fast', 'minLatencyMs'],
        ['minLatencyMs=0x10', 'minLatencyMs'],
        ['minCostUsd=1e3', 'minCostUsd'],
        ['project=default', 'project'],
        ['model=a&model=b', 'model'],
        ['search=%00', 'search'],
        [`search=${'x'.repeat(5_000)}`, 'search'],
        ['limit=0', 'limit'],
        ['limit=-1', 'limit'],
        ['limit=1.5', 'limit'],
        ['limit=many', 'limit'],
        ['limit=1&limit=2', 'limit'],
      ] as const) {
        test(`${query.slice(0, 40)}, and names it`, async () => {
          const answer = await fetchExport(stage.control, `requests.csv?${query}`)
          assert.equal(answer.status, 400)
          assert.match(answer.headers['content-type']!, /^application\/json/)
          const [error] = JSON.parse(answer.text).errors
          assert.deepEqual(error.extensions, { code: 'BAD_USER_INPUT', field })
          assert.ok(error.message.startsWith(`${field}: `), error.message)
        })
      }

      test('other methods and other names', async () => {
        for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
          const answer = await fetchExport(stage.control, 'requests.csv', stage.control.adminKey, { method })
          assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET'], method)
        }
        for (const name of ['', 'requests', 'requests.xlsx', 'tokens.csv', 'requests.constructor', 'x/requests.csv'])
          assert.equal((await fetchExport(stage.control, name)).status, 404, name)
      })
    })

    test('goes to keys that read, as far as they reach, and is audited', async () => {
      for (const key of [null, 'mr-no-such-key', stage.control.token]) {
        const answer = await byKey(key)
        assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, 'Bearer'])
        assert.equal(JSON.parse(answer.text).errors[0].extensions.code, 'UNAUTHENTICATED')
      }
      const refused = await byKey(stage.control.proxyKey)
      assert.equal(refused.status, 403)
      const { extensions } = JSON.parse(refused.text).errors[0]
      assert.equal(extensions.code, 'FORBIDDEN')
      for (const role of ['VIEWER', 'EDITOR', 'ADMIN']) assert.equal((await byKey(await keyOf(role))).status, 200, role)

      const bound = await keyOf('VIEWER', [project])
      const own = await listedIds(stage.control, { project })
      assert.deepEqual(await exportedIds(stage.control, '', bound), own)
      assert.deepEqual(await exportedIds(stage.control, `project=${newId()}`, bound), [])

      const events = await audited('requests')
      assert.ok(events.some(({ result, actor }) => result === 'UNAUTHENTICATED' && actor === 'anonymous'))
      assert.ok(
        events.some(({ result, requestId }) => result === 'FORBIDDEN' && requestId === refused.headers['x-request-id']),
      )
      const exported = (await audited('exportRequests')).find((event) => event.details.records === own.length)
      assert.deepEqual(
        [exported.subject, exported.result, exported.project.id],
        ['requests.ndjson', 'SUCCESS', project],
      )
      const limited = (await audited('exportRequests')).find(({ details }) => details.limit === 1_034)
      assert.equal(limited.details.records, 1_034)
      assert.ok(
        (await audited('exportRequests')).some(({ details }) => details.filter.status?.join() === 'ERROR,TIMEOUT'),
      )
    })

    test('slows down whoever tries keys', async () => {
      const guess = () =>
        fetchExport(stage.control, 'requests.csv', newId(), { headers: { 'x-forwarded-for': '203.0.113.9' } })
      const answer = await waitFor(async () => {
        const one = await guess()
        return one.status === 429 && one
      })
      assert.ok(Number(answer.headers['retry-after']) >= 1)
      const good = { headers: { 'x-forwarded-for': '203.0.113.9' } }
      assert.equal((await fetchExport(stage.control, 'requests.csv?limit=1', stage.control.adminKey, good)).status, 200)
    })

    test('leaves a line in the log, which says nothing of what was asked', async () => {
      const search = newId()
      const { headers } = await fetchExport(stage.control, `requests.csv?search=${search}`)
      const line = await waitFor(() =>
        stage.control
          .output()
          .stderr.split('\n')
          .find((one) => one.includes(headers['x-request-id'] as string) && one.endsWith('}')),
      )
      const { operation, outcome, records } = JSON.parse(line)
      assert.deepEqual([operation, outcome, records], ['export.csv', 'SUCCESS', 0])
      assert.ok(!stage.control.output().stderr.includes(search))
    })
  },
  { MILLRACE_TRUSTED_PROXIES: '127.0.0.1', MILLRACE_LOG_LEVEL: 'debug' },
)
