/** A proxy is told what it lacks, step by step, and knows by that what one knows that is told everything; on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { SNAPSHOTS_SUBSCRIPTION, type Snapshot, type SnapshotPosition } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import { within } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { Follower, newestSnapshot } from './snapshots.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const ask = async (document: string, variables = {}): Promise<any> =>
    (await stage.control.gql(document, variables)).it
  const project = (): Promise<any> => ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })
  const token = async (owner: string): Promise<any> =>
    (await ask(documents.CREATE_TOKEN, { input: { name: uniqueName('token'), project: owner } })).token
  const rename = (id: string): Promise<any> =>
    ask(documents.UPDATE_TOKEN, { id, input: { name: uniqueName('renamed') } })
  /** A proxy that knows everything. */
  const informed = async (): Promise<Follower> => {
    const follower = new Follower(stage.control)
    const { number } = await ask(documents.NEWEST_REVISION)
    await follower.until(number)
    return follower
  }
  /** The first part that a proxy is told that says that it stands there. */
  const firstPart = async (after: SnapshotPosition | null): Promise<any> => {
    await using events = stage.control.subscribe(SNAPSHOTS_SUBSCRIPTION, { after }, stage.control.proxyKey)
    return (await within(10_000, 'a part', events.next())).value.snapshots.document
  }

  describe('a proxy that stands somewhere', () => {
    test('is told only what has changed since, in one', async () => {
      const { id } = await project()
      const [one, other] = [await token(id), await token(id)]
      await using before = await informed()
      await rename(one.id)
      await rename(one.id)
      await using after = new Follower(stage.control, before)
      const snapshot = await after.until((await ask(documents.NEWEST_REVISION)).number)
      assert.deepEqual(after.told, { whole: false, replaces: [], tokens: [one.id], removedTokens: [] })
      assertSame(snapshot, await newestSnapshot(stage.control))
      assert.ok(snapshot.tokens.some((known) => known.id === other.id))
    })

    test('is told at once that it lacks nothing', async () => {
      await using before = await informed()
      const part = await firstPart(before.position)
      assert.deepEqual(
        [part.since, part.revision, part.last, part.replaces, part.tokens],
        [before.position!.revision, before.position!.revision, true, [], []],
      )
    })

    test('is told everything where its mark is not known, or its revision has not been yet', async () => {
      await using before = await informed()
      const { revision, mark } = before.position!
      for (const after of [
        { revision, mark: 'of another' },
        { revision: revision + 1, mark },
        { revision: -1, mark },
      ])
        assert.equal((await firstPart(after)).since, null, JSON.stringify(after))
      await assert.rejects(
        stage.control
          .subscribe(SNAPSHOTS_SUBSCRIPTION, { after: { revision: 'one', mark } }, stage.control.proxyKey)
          .next(),
        (thrown: any) => (Array.isArray(thrown) ? thrown[0].extensions : thrown).field === 'after.revision',
      )
    })

    test('is told everything after a restart of control, and goes on from there', async () => {
      const { id } = await project()
      const one = await token(id)
      await using before = await informed()
      await stage.control.restart()
      await using after = new Follower(stage.control, before)
      const snapshot = await after.next()
      assert.equal(after.told.whole, true)
      assertSame(snapshot, before.snapshot)
      await rename(one.id)
      await after.next()
      assert.deepEqual(after.told, { whole: false, replaces: [], tokens: [one.id], removedTokens: [] })
    })
  })

  test('what each change touches is told, and nothing else', async () => {
    const { id: home } = await project()
    const one = await token(home)
    await using follower = await informed()
    /** Groups that are told anew, and tokens. */
    const told = async (document: string, variables: object): Promise<[readonly string[], string[]]> => {
      await ask(document, variables)
      const snapshot = await follower.next()
      assertSame(snapshot, await newestSnapshot(stage.control))
      return [follower.told.replaces, follower.told.tokens]
    }
    const input = { name: uniqueName('provider'), kind: 'SIMULATED' }
    assert.deepEqual(await told(documents.CREATE_PROVIDER, { input }), [['routing'], []])
    const alias = { name: uniqueName('alias'), routes: [] }
    assert.deepEqual(await told(documents.CREATE_ALIAS, { input: alias }), [['routing'], []])
    const limits = { requestsPerMinute: 5 }
    assert.deepEqual(await told(documents.UPDATE_PROJECT, { id: home, input: { limits } }), [['projects'], []])
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    assert.deepEqual(await told(documents.UPDATE_TOKEN, { id: one.id, input: { expiresAt } }), [[], [one.id]])
    assert.deepEqual(await told(documents.UPDATE_TOKEN, { id: one.id, input: { metadata: { a: 1 } } }), [[], []])
    assert.deepEqual(await told(documents.ROTATE_TOKEN, { id: one.id, graceSeconds: 60 }), [[], [one.id]])
    assert.deepEqual(await told(documents.REVOKE_TOKEN, { id: one.id }), [[], [one.id]])
    assert.deepEqual(await told(documents.CREATE_ADMIN_KEY, { name: uniqueName('key'), role: 'VIEWER' }), [[], []])
  })

  test("a project's tokens that are revoked together are told together, and no others", async () => {
    const [{ id: home }, { id: away }] = [await project(), await project()]
    const good = await Promise.all(Array.from({ length: 5 }, () => token(home)))
    const revoked = await token(home)
    await ask(documents.REVOKE_TOKEN, { id: revoked.id })
    const elsewhere = await token(away)
    await using follower = await informed()
    await ask(documents.REVOKE_PROJECT_TOKENS, { project: home })
    const snapshot = await follower.next()
    assert.deepEqual(new Set(follower.told.tokens), new Set(good.map(({ id }) => id)))
    assert.equal(follower.told.whole, false)
    const isRevoked = new Map(snapshot.tokens.map((known) => [known.id, known.revoked]))
    assert.deepEqual(
      [...good, revoked, elsewhere].map(({ id }) => isRevoked.get(id)),
      [true, true, true, true, true, true, false],
    )
  })

  test('many changes at once are all told', async () => {
    const { id: home } = await project()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => token(home)))
    await using follower = await informed()
    const changes = tokens.flatMap(({ id }) => [rename(id), ask(documents.REVOKE_TOKEN, { id })])
    await Promise.all([...changes, project(), project()])
    const { number } = await ask(documents.NEWEST_REVISION)
    assertSame(await follower.until(number), await newestSnapshot(stage.control))
  })
})

function assertSame(a: Snapshot, b: Snapshot): void {
  const sorted = (snapshot: Snapshot): object => ({
    ...snapshot,
    tokens: snapshot.tokens.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
  })
  assert.deepEqual(sorted(a), sorted(b))
}
