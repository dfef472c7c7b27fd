/** Records as CSV (RFC 4180), for spreadsheets and whatever else reads tables. */
import { stringify } from 'csv-stringify/sync'

import type { Exported } from './exported.ts'

/** The header's names, in order. */
const COLUMNS = [
  'id',
  'requestId',
  'startedAt',
  'finishedAt',
  'projectId',
  'tokenId',
  'endpoint',
  'model',
  'aliasId',
  'providerId',
  'providerModel',
  'stream',
  'status',
  'httpStatus',
  'errorClass',
  'errorMessage',
  'cache',
  'cacheTier',
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'inputAudioTokens',
  'outputAudioTokens',
  'usageSource',
  'billed',
  'costUsd',
  'latencyMs',
  'timeToFirstTokenMs',
  'overheadMs',
  'attempts',
  'lastAttemptError',
  'userKey',
  'conversationKey',
  'metadata',
  'configRevision',
  'proxyId',
] as const

type Row = Readonly<Record<(typeof COLUMNS)[number], string | number | boolean | null>>

const OPTIONS = {
  columns: [...COLUMNS],
  record_delimiter: 'windows',
  // Hazard: by itself it quotes for the whole delimiter alone, and a reader takes half of it for a row's end.
  quoted_match: /[\r\n]/,
  // Spreadsheets run what begins like a formula, and much in a record is a client's own text (OWASP, CSV injection).
  escape_formulas: true,
  cast: { boolean: (value: boolean) => String(value) },
} as const

/** The first row: what the columns are called. */
export function csvHeader(): string {
  return stringify([[...COLUMNS]], OPTIONS)
}

/**
 * A row a record. Decimals are texts, times RFC 3339, metadata JSON; null is an empty cell. Before a text that begins with
 * `=`, `+`, `-`, `@`, a tabulator or a carriage return stands an apostrophe.
 */
export function csvRows(records: readonly Exported[]): string {
  return stringify(records.map(rowOf), OPTIONS)
}

/** What is nested becomes columns of its own. */
function rowOf({ usage, attempts, metadata, ...record }: Exported): Row {
  const { source, ...counts } = usage
  return {
    ...record,
    ...counts,
    usageSource: source,
    attempts: attempts.length,
    lastAttemptError: attempts.findLast(({ errorClass }) => errorClass !== null)?.errorClass ?? null,
    metadata: metadata === null ? null : JSON.stringify(metadata),
  }
}
