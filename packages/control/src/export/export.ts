/** One export: what is read for it, and the audit event that is left of it. */
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { RequestRecord } from '@millrace/shared'
import { GraphQLError } from 'graphql'
import type { Logger } from 'pino'

import type { Authenticator, Viewer } from '../access/authenticate.ts'
import { writeAuditEvent } from '../audit/write.ts'
import type { Database } from '../db/database.ts'
import type { Origin } from '../graphql/context.ts'
import { unauthenticated } from '../graphql/errors.ts'
import { sqlConditions } from '../requests/request.filter.ts'
import type { Format } from './formats.ts'
import type { ExportQuery } from './query.ts'
import { scanRecords } from './scan.ts'
import { ClientGone, transfer } from './transfer.ts'

/** How long one may outlive its key's being revoked, as far as it is read at all. */
const REVOCATION_CHECK_MS = 1_000
const BROKEN_OFF = 'an export was broken off'

export interface Archive {
  readonly database: Database
  readonly authenticator: Pick<Authenticator, 'revoked'>
  readonly log: Logger
}

export interface ExportRequest {
  /** The file's name without its ending; and that. */
  readonly of: string
  readonly ending: string
  readonly format: Format
  readonly query: ExportQuery
  readonly viewer: Viewer
  readonly origin: Origin
  /** How long a client may read nothing at all. */
  readonly stallMs: number
  /** Breaks it off. */
  readonly signal: AbortSignal
}

/** SUCCESS; CLIENT_GONE; SHUTTING_DOWN; or the code of an error. */
type Result = string

/**
 * Resolves once it is over, however it ended, and audited if anything was sent.
 * @throws what went wrong, if nothing was sent yet
 */
export async function runExport(
  archive: Archive,
  asked: ExportRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { log } = archive
  const { requestId } = asked.origin
  const began = performance.now()
  let records = 0
  let result: Result = 'SUCCESS'
  try {
    const gzip = takesGzip(request.headers['accept-encoding'])
    await send(archive, asked, gzip, response, (count) => (records += count))
  } catch (error) {
    result = resultOf(error, asked.signal)
    if (!response.headersSent && !(error instanceof ClientGone)) throw error
    const { message: reason } = error as Error
    if (result === 'INTERNAL_SERVER_ERROR') log.error({ requestId, records, result, err: error }, BROKEN_OFF)
    else log.info({ requestId, records, result, reason }, BROKEN_OFF)
  } finally {
    if (response.headersSent) await audit(archive, asked, result, records)
    const ms = Math.round(performance.now() - began)
    log.debug({ requestId, operation: `export.${asked.ending}`, outcome: result, records, ms }, 'an export')
  }
}

/** A picture of one moment, as far as records that are only added to make one: what comes later is left out. */
async function send(
  { database, authenticator }: Archive,
  { of, ending, format, query: { filter, limit }, viewer, origin, stallMs, signal }: ExportRequest,
  gzip: boolean,
  response: ServerResponse,
  handedOn: (records: number) => void,
): Promise<void> {
  const moment = await momentOf(database)
  const scan = scanRecords(database, {
    conditions: [
      // Written so that no index is looked for: nearly all are older.
      { sql: '(stored_at <= ?) is true', values: [moment] },
      ...sqlConditions(filter),
      ...viewer.scope.ownRows('project_id'),
    ],
    until: filter.to ?? null,
    from: filter.from ?? null,
    limit,
  })
  const headers = {
    'content-type': format.contentType,
    'content-disposition': `attachment; filename="${of}-${moment.toISOString().replaceAll(':', '-')}.${ending}"`,
    'cache-control': 'no-store',
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
    'x-request-id': origin.requestId,
  }
  const pages = whileGood(scan, viewer, authenticator)
  await transfer(response, { format, headers, gzip, pages, signal, stallMs }, handedOn)
}

async function momentOf(database: Database): Promise<Date> {
  // Rounded as `stored_at` is: cut to milliseconds, it would be before what was stored just now.
  const [clock] = await database.em().execute<{ now: string }[]>('select clock_timestamp()::timestamptz(3) as now')
  return new Date(clock!.now)
}

async function* whileGood(
  pages: AsyncIterable<readonly RequestRecord[]>,
  { id }: Viewer,
  authenticator: Pick<Authenticator, 'revoked'>,
): AsyncGenerator<readonly RequestRecord[], void> {
  let checkedAt = performance.now()
  for await (const page of pages) {
    if (performance.now() - checkedAt > REVOCATION_CHECK_MS) {
      if ((await authenticator.revoked([id])).has(id)) throw unauthenticated('the key was revoked')
      checkedAt = performance.now()
    }
    yield page
  }
}

function resultOf(error: unknown, signal: AbortSignal): Result {
  if (signal.aborted) return 'SHUTTING_DOWN'
  if (error instanceof ClientGone) return 'CLIENT_GONE'
  return error instanceof GraphQLError ? String(error.extensions['code']) : 'INTERNAL_SERVER_ERROR'
}

/** RFC 9110, section 12.5.3. */
function takesGzip(accepted: string | string[] | undefined): boolean {
  return String(accepted ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.split(';').map((part) => part.trim()))
    .some(([coding, weight = '']) => (coding === 'gzip' || coding === '*') && !/^q=0(\.0*)?$/.test(weight))
}

/** Who took what, and how much of it. */
async function audit(
  { database, log }: Archive,
  { of, ending, query: { filter, limit }, viewer, origin }: ExportRequest,
  result: Result,
  records: number,
): Promise<void> {
  const { name, id: keyId, scope } = viewer
  const projectId = filter.project != null && scope.isOwn(filter.project) ? filter.project : onlyOf(scope.projects)
  const details = { filter, limit, records }
  try {
    await writeAuditEvent(
      database.em(),
      { name, keyId, ...origin },
      { action: 'exportRequests', subject: `${of}.${ending}`, projectId, result, details },
    )
  } catch (error) {
    const { message: reason } = error as Error
    log.error({ ...origin, actor: name, records, result, reason }, 'an export could not be audited')
  }
}

function onlyOf(projects: ReadonlySet<string> | null): string | null {
  return projects?.size === 1 ? [...projects][0]! : null
}
