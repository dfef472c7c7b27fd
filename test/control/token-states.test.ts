/** What becomes of tokens as they are used, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { INGEST_RECORDS_MUTATION } from '@millrace/shared'

import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const { ask, project, token } = operatorOf(stage)
  const read = (id: string): Promise<any> => ask(documents.TOKEN_BY_ID, { id })
  const used = (projectId: string, tokenId: string, more = {}): Promise<unknown> =>
    stage.control.gql(
      INGEST_RECORDS_MUTATION,
      { records: [sample({ projectId, tokenId, counted: true, ...more })] },
      stage.control.proxyKey,
    )
  const listed = async (owner: string, status: string): Promise<string[]> =>
    (await ask(documents.TOKENS, { project: owner, status })).edges.map(({ node }: any) => node.id)

  test('a token tells of its requests, cache hits, last use and what was spent', async () => {
    const { id: owner } = await project({ budget: { limitUsd: '5', period: 'TOTAL' } })
    const budget = { limitUsd: '1', period: 'MONTH' }
    const { token: made } = await token(owner, { budget })
    const { token: other } = await token(owner)
    const startedAt = new Date().toISOString()
    await used(owner, made.id, { startedAt, costUsd: '0.000000000001' })
    await used(owner, made.id, { startedAt, costUsd: '0.1' })
    await used(owner, made.id, { startedAt, costUsd: null, counted: false })
    await used(owner, other.id, { startedAt, costUsd: '0.2' })

    const told = await read(made.id)
    assert.deepEqual([told.requestCount, told.cacheHitCount, told.budget.spentUsd], [2, 0, '0.100000000001'])
    assert.ok(Date.parse(told.lastUsedAt) >= Date.parse(startedAt))
    const { edges } = await ask(documents.TOKENS, { project: owner })
    assert.deepEqual(
      edges.map(({ node }: any) => [node.id, node.requestCount, node.budget?.spentUsd]),
      [
        [other.id, 1, undefined],
        [made.id, 2, '0.100000000001'],
      ],
    )
    const tenants = await ask(documents.PROJECTS)
    assert.equal(tenants.find(({ id }: any) => id === owner).budget.spentUsd, '0.300000000001')
  })

  test('a token is EXHAUSTED by its last request, unless it is EXPIRED or REVOKED', async () => {
    const { id: owner } = await project()
    const made = async (more: object): Promise<string> => (await token(owner, more)).token.id
    const limits = [{ maxRequests: 1 }, {}, { maxRequests: 2 }, { maxRequests: 1 }, { maxRequests: 1 }]
    const [idle, unlimited, half, full, gone] = await Promise.all(limits.map(made))
    // What has expired before it is made is refused.
    const ended = await waitFor(() => made({ maxRequests: 1, expiresAt: new Date(Date.now() + 1_500).toISOString() }))
    for (const id of [unlimited, half, full, ended, gone]) await used(owner, id!)
    assert.equal((await read(gone!)).status, 'EXHAUSTED')
    await ask(documents.REVOKE_TOKEN, { id: gone })
    await waitFor(async () => (await read(ended)).status === 'EXPIRED')
    for (const [status, ids] of [
      ['ACTIVE', [idle, unlimited, half]],
      ['EXHAUSTED', [full]],
      ['EXPIRED', [ended]],
      ['REVOKED', [gone]],
    ] as const) {
      assert.deepEqual((await listed(owner, status)).toSorted(), ids.toSorted(), status)
      for (const id of ids) assert.equal((await read(id!)).status, status)
    }

    await ask(documents.UPDATE_TOKEN, { id: full, input: { maxRequests: 2 } })
    assert.equal((await read(full!)).status, 'ACTIVE')
    await used(owner, half!)
    assert.deepEqual(await listed(owner, 'EXHAUSTED'), [half])
    const { secret } = await ask(documents.ROTATE_TOKEN, { id: half })
    assert.ok(secret)
    assert.deepEqual(await listed(owner, 'EXHAUSTED'), [half], 'a new secret is no new quota')
  })
})
