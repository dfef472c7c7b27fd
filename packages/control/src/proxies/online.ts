import { REPORT_INTERVAL_MS } from '@millrace/shared'

/** A proxy is online for so long after its last report: two may be lost on the way. By the database's clock. */
export const ONLINE_SECONDS = (3 * REPORT_INTERVAL_MS) / 1_000
