/** The configuration as it was at an earlier revision: today's, with all that was changed since undone. */
import type { Database, Em } from '../db/database.ts'
import { atOneMoment, toProject, toRouting, type Revised } from '../snapshot/build.ts'
import { readProjects, readRouting, type ProjectRow, type RoutingRows } from '../snapshot/rows.ts'
import type { Difference } from './difference.ts'

interface ConfigurationRows extends RoutingRows {
  readonly projects: readonly ProjectRow[]
}

/** Revisions read at once. */
const PAGE = 500

type Row = Record<string, unknown>
type Table = Map<string, Row>
/** By the kind of what is in them. */
type Tables = Readonly<Record<'provider' | 'credential' | 'alias' | 'route' | 'project', Table>>

/** Why a revision can't be told: there is none of that number, or one after it does not say all that it has changed. */
export type Untold = 'unknown' | 'lost'

/**
 * As a proxy was told it at that revision, without secrets and tokens: neither is part of revisions. Lost is what was before
 * the last revision that an older version made, without migration 2.
 */
export function snapshotAt(database: Database, number: number): Promise<Revised | Untold> {
  return atOneMoment(database, async (em) => {
    const [row] = await em.execute<{ known: boolean }[]>(
      'select exists (select from config_revision where number = ?) as known',
      [number],
    )
    if (!row!.known) return 'unknown'
    const tables = tablesOf({ ...(await readRouting(em)), projects: await readProjects(em) })
    for await (const changes of changesSince(em, number))
      for (const change of changes.toReversed()) if (!undo(tables, change)) return 'lost'
    const rows = rowsOf(tables)
    return { revision: number, ...toRouting(rows), projects: rows.projects.map(toProject) }
  })
}

/** What was done to {@link Tables}, a revision at a time, newest first. */
async function* changesSince(em: Em, number: number): AsyncGenerator<readonly Difference[]> {
  let before = 2 ** 31 - 1
  for (;;) {
    const revisions = await em.execute<{ number: number; changes: Difference[] }[]>(
      `select number, changes from config_revision
       where number > ? and number < ? and exists (
         select from jsonb_array_elements(changes) as change
         where change->>'kind' in ('provider', 'credential', 'alias', 'route', 'project')
       )
       order by number desc limit ?`,
      [number, before, PAGE],
    )
    for (const { changes } of revisions) yield changes
    if (revisions.length < PAGE) return
    before = revisions.at(-1)!.number
  }
}

/** @returns whether it could be */
function undo(tables: Tables, { action, kind, path, before, identity }: Difference): boolean {
  if (!isTable(tables, kind)) return true
  if (identity === undefined) return false
  const table = tables[kind]
  switch (action) {
    case 'CREATE':
      return table.delete(identity.id)
    case 'DELETE':
      table.set(identity.id, { ...lackedBy(kind), ...(before as Row), ...identity })
      return true
    case 'UPDATE': {
      const row = table.get(identity.id)
      if (row) put(row, path!, before)
      return row !== undefined
    }
  }
}

/** What descriptions of things lack that were removed before migration 4 (providers), or 7 and 13 (aliases). */
function lackedBy(kind: keyof Tables): Row {
  if (kind === 'provider') return { access: {} }
  return kind === 'alias' ? { cache: {}, unknownParameters: 'DROP' } : {}
}

function isTable(tables: Tables, kind: string): kind is keyof Tables {
  return Object.hasOwn(tables, kind)
}

/** Sets what stands at a dotted path. A description's null within an object means that nothing was set there. */
function put(row: Row, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop()!
  let object = row
  for (const key of keys) object = (object[key] ??= {}) as Row
  if (value === null && keys.length > 0) delete object[last]
  else object[last] = value
}

function tablesOf({ providers, credentials, aliases, routes, projects }: ConfigurationRows): Tables {
  const table = (rows: readonly { readonly id: string }[]): Table => new Map(rows.map((row) => [row.id, { ...row }]))
  return {
    provider: table(providers),
    credential: table(credentials),
    alias: table(aliases),
    route: table(routes),
    project: table(projects),
  }
}

function rowsOf({ provider, credential, alias, route, project }: Tables): ConfigurationRows {
  const rows = <K extends keyof ConfigurationRows>(table: Table, compare: (a: Row, b: Row) => number) =>
    [...table.values()].sort(compare) as unknown as ConfigurationRows[K]
  return {
    providers: rows<'providers'>(provider, by('name')),
    // Ids sort by the time they were made.
    credentials: rows<'credentials'>(credential, by('id')).map((one) => ({ ...one, sealed: '', env: null })),
    aliases: rows<'aliases'>(alias, by('name', 'id')),
    routes: rows<'routes'>(route, by('priority', 'position')),
    projects: rows<'projects'>(project, by('name')),
  }
}

function by(...columns: readonly string[]): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const column of columns) {
      const [one, other] = [a[column] as string | number, b[column] as string | number]
      if (one !== other) return one < other ? -1 : 1
    }
    return 0
  }
}
