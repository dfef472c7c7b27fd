import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'

import { RecordQueue } from '../records/queue.ts'
import { lostRecorder, type LostClaim } from './lost.ts'

const about: LostClaim['about'] = {
  requestId: 'request',
  tokenId: 'token',
  projectId: 'project',
  endpoint: 'CHAT_COMPLETIONS',
  model: 'model',
  aliasId: null,
  stream: false,
  inputTokens: 1,
  outputTokens: 2,
  configRevision: 1,
  proxyId: 'proxy',
}

test('more lost requests than the queue has room for get a record each', async () => {
  const queue = new RecordQueue(2_097_152, 1_000, '[', ']')
  const lost = Array.from({ length: 10_000 }, (_, i) => ({ id: `lost-${i}`, at: 1_000, cost: 5n, about }))
  const all = lostRecorder(queue)(lost)
  const ids = new Set<string>()
  while (ids.size + queue.dropped < lost.length) {
    const [page] = queue.waiting()
    if (page === undefined) await turn()
    else {
      for (const { id } of JSON.parse(queue.body(page).toString()) as { id: string }[]) ids.add(id)
      queue.taken(page)
    }
  }
  await all
  assert.deepEqual([ids.size, queue.dropped], [10_000, 0])
})
