/** What a change leaves behind: for the proxies, and for whoever asks who it was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Snapshot } from '@millrace/shared'

import { uniqueName } from '../helpers/gateway.ts'
import * as documents from './documents.ts'
import { newestSnapshot } from './snapshots.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const ask = async (document: string, variables = {}, key?: string): Promise<any> =>
    (await stage.control.gql(document, variables, key)).it
  const newest = (): Promise<Snapshot> => newestSnapshot(stage.control)
  const auditEvents = async (): Promise<any[]> => (await ask(documents.AUDIT)).edges.map(({ node }: any) => node)

  test('another date instead of a date is a change', async () => {
    const [{ id: project }] = await ask(documents.PROJECTS)
    const [first, second] = [60_000, 3_600_000].map((ms) => new Date(Date.now() + ms).toISOString())
    const { token } = await ask(documents.CREATE_TOKEN, { input: { name: 'dated', project, expiresAt: first } })
    const before = await newest()
    await ask(documents.UPDATE_TOKEN, { id: token.id, input: { expiresAt: second } })
    const { number, changes } = await ask(documents.NEWEST_REVISION)
    assert.equal(number, before.revision + 1)
    assert.deepEqual(changes, [
      { action: 'UPDATE', kind: 'token', name: 'dated', path: 'expiresAt', before: first, after: second },
    ])
    assert.equal((await newest()).tokens.find(({ id }) => id === token.id)!.expiresAt, second)
    await ask(documents.UPDATE_TOKEN, { id: token.id, input: { expiresAt: second } })
    assert.equal((await ask(documents.NEWEST_REVISION)).number, number, 'the same date is none')
  })

  test('a key is entered again after its provider has come back, and is only then a key that it has', async () => {
    const { id: project } = await ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })
    const [a, b] = ['http://127.0.0.1:9/v1', 'http://127.0.0.1:10/v1']
    const made = { name: uniqueName('provider'), kind: 'OPENAI_COMPATIBLE', baseUrl: a }
    const { id: provider } = await ask(documents.CREATE_PROVIDER, { input: made })
    const enter = (): Promise<any> =>
      ask(documents.ADD_CREDENTIAL, { provider, input: { apiKey: 'sk-to-and-fro', project } })
    const { id } = await enter()
    for (const baseUrl of [b, a]) await ask(documents.UPDATE_PROVIDER, { id: provider, input: { baseUrl } })
    const again = await enter()
    assert.deepEqual([again.id, again.enabled], [id, true])
    const [event] = await auditEvents()
    assert.deepEqual([event.action, event.project?.id], ['addCredential', project])
    await assert.rejects(enter(), { code: 'CONFLICT' })
  })

  test('nobody passes for another: names of keys are unique while they are good, and history has the id', async () => {
    const create = (name: string): Promise<any> => ask(documents.CREATE_ADMIN_KEY, { name, role: 'ADMIN' })
    const { secret, adminKey } = await create('ann')
    for (const name of ['ann', ' Ann ', 'first admin', 'Millrace'])
      await assert.rejects(create(name), { code: 'CONFLICT' })
    await assert.rejects(create('ann\u200d'), { code: 'BAD_USER_INPUT', field: 'name' })
    await ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } }, secret)
    const [event] = await auditEvents()
    assert.deepEqual([event.actor, event.details.adminKey], ['ann', adminKey.id])
    await ask(documents.REVOKE_ADMIN_KEY, { id: adminKey.id })
    assert.notEqual((await create('ann')).adminKey.id, adminKey.id)
  })
})
