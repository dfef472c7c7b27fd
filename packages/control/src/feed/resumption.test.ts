/** A subscription that goes on: what it reads of what was stored, and how often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'

import { newId } from '@millrace/shared'

import { eventId, readEventId, type FeedEvent } from './event.ts'
import { FeedLog } from './log.ts'
import { Mailbox } from './mailbox.ts'
import { Resumption, type History } from './resumption.ts'

test('what is not wanted is passed over once, however long others have not heard', async () => {
  const began = Date.now()
  const stored = Array.from({ length: 10 }, (_one, i) =>
    eventId({ time: new Date(began - 300_000 + i * 30_000), kind: 'FINISHED', request: newId() }),
  )
  const read: string[] = []
  // Pages of two; none of them is wanted.
  const history: History = {
    page: async (after) => {
      const rows = stored.filter((id) => id > after).slice(0, 2)
      read.push(...rows)
      return { keys: [], last: rows.at(-1) ?? null, isFull: rows.length === 2 }
    },
    load: async () => new Map(),
  }
  let asked = 0
  const mailbox = new Mailbox<FeedEvent>({
    capacity: 1,
    maxBytes: 1,
    onClose: () => undefined,
    onDrop: () => undefined,
  })
  const live = Promise.withResolvers<void>()
  const events = new Resumption(stored[0]!, readEventId(stored[0]!)!, {
    log: new FeedLog(),
    history,
    wants: () => false,
    isHeard: () => ++asked > 3,
    subscribe: () => {
      live.resolve()
      return mailbox
    },
    onClose: () => undefined,
  })
  const next = events.next()
  await live.promise
  assert.deepEqual(read, stored)
  await turn()
  await events.return()
  assert.equal((await next).done, true)
  // Then the last ten seconds once more: only the last of them lies in these.
  assert.deepEqual(read.slice(stored.length), stored.slice(-1))
})
