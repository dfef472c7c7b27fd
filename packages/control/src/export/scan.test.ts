import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Database } from '../db/database.ts'
import { scanRecords } from './scan.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** More than a quick search takes. */
const FAR_MS = 60

test('a database far away is searched in few steps, between any of which one may stop', async ({ mock }) => {
  let now = 0
  mock.method(performance, 'now', () => now)
  const until = new Date('2026-11-01T00:00:00.000Z')
  const oldest = until.getTime() - 10 * DAY_MS
  let asked = 0
  /** It has a record each minute, none of which is wanted. */
  const execute = async (sql: string, [moment]: [Date | null]): Promise<object[]> => {
    asked++
    now += FAR_MS
    if (!sql.startsWith('select started_at as at')) return []
    const at = moment!.getTime() - MINUTE_MS
    return at < oldest ? [] : [{ at: new Date(at) }]
  }
  const database = { em: () => ({ execute }) } as unknown as Database
  let pages = 0
  for await (const page of scanRecords(database, { conditions: [], until, from: null, limit: null })) {
    assert.equal(page.length, 0)
    pages++
  }
  assert.ok(asked < 200, `${asked} questions`)
  assert.equal(asked, 2 * pages + 1)
})
