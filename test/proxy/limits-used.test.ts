/** What others have used of a token's quota, as a proxy without Redis hears of it from control. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { waitFor } from '../helpers/wait.ts'
import { codeOf } from './limits/limited.ts'

const QUOTA = 1_000

/** Waits until control has been asked so many times more. It is asked again only once the proxy has its answer. */
async function asked({ control }: LoneProxy, token: string, times: number): Promise<void> {
  const before = control.usedAsked.length
  await waitFor(() => control.usedAsked.length >= before + times, {
    what: `control to be asked ${times} times of what was used`,
    timeoutMs: 60_000,
  })
  assert.deepEqual(new Set(control.usedAsked), new Set([token]))
}

test('what others use after a token was used here for the last time is heard of too', async () => {
  await using lone = await startLoneProxy()
  const { control, configuration } = lone
  const snapshot = configuration.at(1)
  const [token] = snapshot.tokens
  control.publish({ ...snapshot, tokens: [{ ...token!, maxRequests: QUOTA }] })
  await waitFor(async () => (await lone.chat()).status === 200, { timeoutMs: 30_000 })

  await asked(lone, token!.id, 1)
  control.used.set(token!.id, { spentUsd: '0', requests: QUOTA })
  await asked(lone, token!.id, 2)
  const refused = await lone.chat()
  assert.equal(refused.status, 429)
  assert.equal(codeOf(refused), 'request_quota_exceeded')
})
