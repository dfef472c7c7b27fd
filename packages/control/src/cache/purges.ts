/**
 * What operators have had purged, and which processes of proxies have told that they have carried it out. Rows, since a proxy
 * need not be connected to the control process that was asked.
 */
import { newId, type CarriedOut, type PurgeScope } from '@millrace/shared'

import type { Database, Em } from '../db/database.ts'
import { giveInstruction, INSTRUCTION_SECONDS } from '../instructions/give.ts'
import { ONLINE_SECONDS } from '../proxies/online.ts'

/** The channel on which it is announced that a process has told. */
export const PURGE_DONE_CHANNEL = 'millrace_purge_done'

/** Purges as instructions for proxies. */
export const PURGE_INSTRUCTIONS = `
  select number, id, at, null::jsonb as "clearStickyBindings",
    jsonb_build_object('projectId', project_id, 'model', model) as "purgeCache"
  from cache_purge`

/** Writes one, within a transaction. @returns the instruction's id */
export async function writePurge(em: Em, { projectId, model }: PurgeScope): Promise<string> {
  const { id } = await giveInstruction<{ id: string }>(
    em,
    'insert into cache_purge (id, project_id, model, at) values (?, ?, ?, clock_timestamp()) returning id',
    [newId(), projectId, model],
  )
  return id
}

/** What a process tells again stands as it told it first. */
const NOTE = `
  with purge as (select id from cache_purge where id = ?),
    noted as (
      insert into purge_done (purge_id, proxy_id, process_id, processes, count)
      select id, ?, ?, ?, ? from purge
      on conflict do nothing
      returning 1
    ),
    announced as (select pg_notify(?, '') from noted)
  select exists (select from purge) as known, (select count(*) from announced) as announced`

/** @returns whether there is such a purge */
export async function noteDone(
  database: Database,
  { instruction, proxy, process, processes, count }: CarriedOut,
): Promise<boolean> {
  const values = [instruction, proxy, process, processes, count, PURGE_DONE_CHANNEL]
  const [row] = await database.em().execute<{ known: boolean }[]>(NOTE, values)
  return row!.known
}

/** How far a purge is. */
export interface PurgeProgress {
  readonly id: string
  /** How many answers are gone, by all that have told. */
  readonly count: number
  /** Whether every proxy that is online has told, with all of its processes. */
  readonly complete: boolean
}

const PROGRESS = `
  select purge.id, (select coalesce(sum(count), 0) from purge_done where purge_id = purge.id)::double precision as count,
    not exists (
      select from proxy_instance as proxy
      where last_seen_at >= now() - make_interval(secs => ?) and not coalesce((
        select count(*) >= max(processes) from purge_done where purge_id = purge.id and proxy_id = proxy.id
      ), false)
    ) as complete
  from cache_purge as purge where id = any(?::uuid[])`

export function progressOf(database: Database, ids: readonly string[]): Promise<PurgeProgress[]> {
  return database.em().execute<PurgeProgress[]>(PROGRESS, [ONLINE_SECONDS, `{${ids.join(',')}}`])
}

/** Deletes those that no proxy is told of any more. */
export async function forgetPurges(database: Database): Promise<void> {
  await database
    .em()
    .execute('delete from cache_purge where at < now() - make_interval(secs => ?)', [INSTRUCTION_SECONDS])
}
