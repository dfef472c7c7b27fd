/** What a proxy asks its control plane for, and what it does with what comes: by its own account, and to its clients. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { newId, newSecret, partsOf, TOKEN_PREFIX, type SnapshotToken, type TransferContents } from '@millrace/shared'

import { send } from '../helpers/http.ts'
import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { waitFor } from '../helpers/wait.ts'

let lone: LoneProxy
before(async () => {
  lone = await startLoneProxy()
})
after(() => lone[Symbol.asyncDispose]())

const NOTHING = { providers: [], aliases: [], projects: [], tokens: [], removedTokens: [], replaces: [] }

/** Sends a step from what was served to the next revision. */
function step(since: number, over: Partial<TransferContents>, most?: number): void {
  const { mark } = lone.control.positions.findLast((position) => position !== null) ?? { mark: 'fake' }
  lone.control.publish(...partsOf({ ...NOTHING, revision: since + 1, mark, since, ...over }, most))
}

function served(revision: number): Promise<unknown> {
  const isServed = async () => (await lone.chat()).headers['x-millrace-revision'] === String(revision)
  return waitFor(isServed, { what: `revision ${revision}`, timeoutMs: 60_000 })
}

/** What was asked for since then, once something was. */
async function askedSince(count: number) {
  const { positions } = lone.control
  await waitFor(() => positions.length > count, { what: 'another subscription', timeoutMs: 60_000 })
  return positions.slice(count)
}

function anotherToken(like: SnapshotToken): { token: SnapshotToken; secret: string } {
  const { secret, prefix, digest } = newSecret(TOKEN_PREFIX)
  return { secret, token: { ...like, id: newId(), secrets: [{ prefix, digest, until: null }] } }
}

async function statusWith(secret: string): Promise<number> {
  const headers = { authorization: `Bearer ${secret}` }
  return (await send(`${lone.proxy.url}/v1/models`, { method: 'GET', headers })).status
}

test('first everything, and after a lost connection what comes after what it has', async () => {
  await lone.serve(1)
  assert.equal(lone.control.positions[0], null)
  const asked = lone.control.positions.length
  lone.control.leave()
  lone.control.comeBack()
  const [position] = await askedSince(asked)
  assert.equal(position?.revision, 1)
})

test('a step of several parts is served by', async () => {
  const [like] = lone.configuration.at(1).tokens
  const made = Array.from({ length: 5 }, () => anotherToken(like!))
  step(1, { tokens: made.map(({ token }) => token) }, 2)
  await served(2)
  for (const { secret } of made) assert.equal(await statusWith(secret), 200)
  step(2, { removedTokens: [made[0]!.token.id], tokens: [{ ...made[1]!.token, revoked: true }] })
  await served(3)
  const statuses = await Promise.all(made.map(({ secret }) => statusWith(secret)))
  assert.deepEqual(statuses, [401, 401, 200, 200, 200])
})

test('what does not follow is refused, and everything is asked for', async () => {
  const asked = lone.control.positions.length
  step(8, {})
  assert.equal((await askedSince(asked))[0], null)
  const answer = await lone.chat()
  assert.deepEqual([answer.status, answer.headers['x-millrace-revision']], [200, '3'])
  await lone.serve(10)
})

test('after a restart, what comes after what is on disk', async () => {
  step(10, { tokens: [anotherToken(lone.configuration.at(10).tokens[0]!).token] })
  await served(11)
  await lone.proxy.stop()
  const asked = lone.control.positions.length
  // What does not fit it would be refused, and asked for anew.
  lone.control.publish(...partsOf({ ...NOTHING, revision: 11, mark: 'fake', since: 11 }))
  await lone.proxy.restart()
  assert.equal((await askedSince(asked))[0]?.revision, 11)
  await served(11)
})
