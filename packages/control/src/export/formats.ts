/** The formats of an export, by the ending of its name. */
import type { RequestRecord } from '@millrace/shared'

import { csvHeader, csvRows } from './csv.ts'
import { exportedOf } from './exported.ts'

export interface Format {
  readonly contentType: string
  /** What comes before the first record. */
  readonly begin: () => string
  readonly encode: (records: readonly RequestRecord[]) => string
}

export const FORMATS: Readonly<Record<string, Format>> = {
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    begin: csvHeader,
    encode: (records) => csvRows(records.map(exportedOf)),
  },
  ndjson: {
    contentType: 'application/x-ndjson; charset=utf-8',
    begin: () => '',
    encode: (records) => records.map((record) => `${JSON.stringify(exportedOf(record))}\n`).join(''),
  },
}
