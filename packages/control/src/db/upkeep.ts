/** What a server's own processes do to its databases, and the embedded one has nobody for. */
import type { Em } from './database.ts'
import { recentPartitions } from './partitions.ts'

/** Those whose rows change all the time. Others only grow. */
const CHANGING = [
  'proxy_instance',
  'sticky_binding',
  'sticky_clear',
  'cache_purge',
  'purge_done',
  'debug_capture',
  'debug_exchange',
  'proxy_question',
  'proxy_answer',
  'feed_interest',
  'feed_relay',
  'subject_spend',
  'token_use',
  'credential_use',
  'usage_delta',
  'usage_series',
  'usage_minute',
  'usage_hour',
  'usage_day',
]
/** Those in partitions that only grow: an index alone tells of rows that a vacuum has seen. */
const GROWING = ['request_record', 'route_decision']
/** Those of which many rows are read in the order of an index. */
const READ_IN_ORDER = ['token']

/**
 * Makes the room that replaced and deleted rows have left usable again (without it a table of one row grows with each of its
 * changes), and lets go of the write-ahead log, which would else be kept for ever.
 * @param em a unit of work for each statement, without a transaction: between them, others have their turn
 */
export async function keepUp(em: () => Em): Promise<void> {
  for (const table of CHANGING) await em().execute(`vacuum (analyze) ${table}`)
  for (const table of GROWING)
    for (const partition of await recentPartitions(em(), table)) await em().execute(`vacuum ${partition}`)
  for (const table of READ_IN_ORDER) await em().execute(`analyze ${table}`)
  await em().execute('checkpoint')
}
