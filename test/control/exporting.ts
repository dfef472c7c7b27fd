/** Exports as an operator's script would fetch them, and their formats read by the book. */
import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'

import { INGEST_RECORDS_MUTATION, MAX_INGEST_BATCH, type RequestRecord } from '@millrace/shared'

import type { ControlProcess } from '../helpers/control.ts'
import { open, send, type Answer, type OpenAnswer, type SendOptions } from '../helpers/http.ts'

export const RECORD_IDS =
  'query ($filter: RequestFilter, $after: String) { requests(filter: $filter, first: 500, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }'

function optionsOf(key: string | null, { headers, ...options }: SendOptions): SendOptions {
  return {
    method: 'GET',
    ...options,
    headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
  }
}

/** @param name with the query string: `requests.csv?limit=1` */
export function fetchExport(
  control: ControlProcess,
  name: string,
  key: string | null = control.adminKey,
  options: SendOptions = {},
): Promise<Answer> {
  return send(`${control.url}/export/${name}`, optionsOf(key, options))
}

/** The same, with the head alone. */
export function openExport(
  control: ControlProcess,
  name: string,
  key = control.adminKey,
  headers: Record<string, string> = {},
): Promise<OpenAnswer> {
  return open(`${control.url}/export/${name}`, optionsOf(key, { headers }))
}

/** Each line of NDJSON, of an answer that is whole. */
export function linesOf({ status, complete, text, body, headers }: Answer): any[] {
  assert.deepEqual([status, complete], [200, true])
  const whole = headers['content-encoding'] === 'gzip' ? gunzipSync(body).toString() : text
  assert.ok(whole === '' || whole.endsWith('\n'))
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown)
}

export async function exportedIds(control: ControlProcess, query = '', key = control.adminKey): Promise<string[]> {
  return linesOf(await fetchExport(control, `requests.ndjson?${query}`, key)).map(({ id }) => id)
}

/** The ids that `requests` lists, page by page. */
export async function listedIds(
  control: ControlProcess,
  filter: object = {},
  key = control.adminKey,
): Promise<string[]> {
  const ids: string[] = []
  for (let after: string | null = null; ;) {
    const { requests }: any = await control.gql(RECORD_IDS, { filter, after }, key)
    ids.push(...requests.edges.map(({ node }: any) => node.id))
    if (!requests.pageInfo.hasNextPage) return ids
    after = requests.pageInfo.endCursor
  }
}

export async function ingest(control: ControlProcess, records: readonly RequestRecord[]): Promise<void> {
  for (let i = 0; i < records.length; i += MAX_INGEST_BATCH) {
    const batch = records.slice(i, i + MAX_INGEST_BATCH)
    const { ingestRecords } = await control.gql(INGEST_RECORDS_MUTATION, { records: batch }, control.proxyKey)
    assert.equal(ingestRecords.stored, batch.length)
  }
}

/** Rows of CSV by RFC 4180, to the letter: what it doesn't allow is refused. */
export function readCsv(text: string): string[][] {
  const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
  const rows: string[][] = []
  let row: string[] = []
  while (CELL.lastIndex < text.length) {
    const at = CELL.lastIndex
    const cell = CELL.exec(text)
    if (cell === null) throw new Error(`no cell at ${at}: ${JSON.stringify(text.slice(at, at + 80))}`)
    row.push(cell[1]?.replaceAll('""', '"') ?? cell[2]!)
    if (cell[3] === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

/** A row a record, by the names in the header. */
export function recordsOfCsv({ status, complete, text }: Answer): Record<string, string>[] {
  assert.deepEqual([status, complete], [200, true])
  const [header, ...rows] = readCsv(text)
  return rows.map((row) => {
    assert.equal(row.length, header!.length)
    return Object.fromEntries(row.map((cell, i) => [header![i]!, cell]))
  })
}
