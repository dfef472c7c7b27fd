/** All that stands in stores and folders. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { PGlite } from '@electric-sql/pglite'
import { createClient } from '@redis/client'

import type { Places } from './forms.ts'

type Query = (sql: string) => Promise<Record<string, any>[]>

const TABLES = `
  select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
  where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`

/** Every row of every table, as JSON. */
export async function dumpDatabase(query: Query, places: Places): Promise<void> {
  for (const { name } of await query(TABLES))
    for (const { row } of await query(`select to_jsonb(t)::text as row from ${name} as t`))
      places.add(`table ${name}`, row)
}

/** The embedded database of a data folder whose control plane has ended. */
export async function dumpEmbedded(dataDir: string, places: Places): Promise<void> {
  const database = await PGlite.create(join(dataDir, 'pglite'))
  try {
    await dumpDatabase(async (sql) => (await database.query<Record<string, any>>(sql)).rows, places)
  } finally {
    await database.close()
  }
}

/** Every file of a folder. @returns those that are meant to hold secrets, with their modes: they are left out */
export async function dumpFolder(folder: string, places: Places): Promise<Map<string, number>> {
  const kept = new Map<string, number>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    if (/^credentials\.json|\.key$/.test(entry.name)) kept.set(entry.name, (await stat(path)).mode & 0o777)
    else places.add(`file ${path}`, await readFile(path))
  }
  return kept
}

/** Every key and value. */
export async function dumpRedis(url: string, places: Places): Promise<void> {
  const client = createClient({ url })
  await client.connect()
  try {
    for await (const keys of client.scanIterator())
      for (const key of keys) {
        places.add('redis key', key)
        const type = await client.type(key)
        const value =
          type === 'hash'
            ? await client.hGetAll(key)
            : type === 'zset'
              ? await client.zRangeWithScores(key, 0, -1)
              : type === 'list'
                ? await client.lRange(key, 0, -1)
                : type === 'set'
                  ? await client.sMembers(key)
                  : await client.get(key)
        places.add(`redis ${type}`, JSON.stringify(value))
      }
  } finally {
    client.destroy()
  }
}
