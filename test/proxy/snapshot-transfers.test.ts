/** The configuration comes in parts, and in steps from one revision to the next: taken whole, or not at all. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'

import { newId, type SnapshotPart } from '@millrace/shared'

import { temporaryFolder, type TemporaryFolder } from '../helpers/temporary.ts'
import { askWith, load, MARK, newToken, PROJECT, step, take, whole, type Loaded } from './snapshots/transfers.ts'

const SOON = new Date(Date.now() + 3_600_000).toISOString()
const PAST = new Date(Date.now() - 1_000).toISOString()

let folder: TemporaryFolder
let proxy: Loaded
beforeEach(async () => {
  folder = await temporaryFolder()
  proxy = load(folder.path)
})
afterEach(async () => {
  await proxy.file.close()
  await folder[Symbol.asyncDispose]()
})

function assertAt(revision: number): void {
  assert.deepEqual(proxy.configuration.position, { revision, mark: MARK })
}

describe('a whole transfer', () => {
  test('is served by from its last part on', async () => {
    const made = Array.from({ length: 7 }, () => newToken())
    const tokens = made.map(({ token }) => token)
    const parts = whole(3, tokens, 3)
    assert.ok(parts.length > 2)
    assert.equal(await take(proxy, parts.slice(0, -1)), 'incomplete')
    assert.equal(proxy.configuration.current, null)
    assert.equal(await take(proxy, parts.slice(-1)), 'served')
    for (const { token, clear } of made) assert.equal(askWith(proxy, clear[0]!), token.id)
    assertAt(3)
  })

  test('takes the place of all there was', async () => {
    const [before, after] = [newToken(), newToken()]
    await take(proxy, whole(1, [before.token]))
    await take(proxy, whole(2, [after.token]))
    assert.equal(askWith(proxy, before.clear[0]!), 'invalid_api_key')
    assert.equal(askWith(proxy, after.clear[0]!), after.token.id)
  })

  test('that is cut leaves everything as it was, and the next begins anew', async () => {
    const [before, after] = [newToken(), newToken()]
    await take(proxy, whole(1, [before.token]))
    await take(proxy, whole(2, [after.token], 1).slice(0, -1))
    proxy.configuration.lost()
    assertAt(1)
    assert.equal(askWith(proxy, before.clear[0]!), before.token.id)
    assert.equal(await take(proxy, whole(2, [after.token], 1)), 'served')
    assert.equal(askWith(proxy, after.clear[0]!), after.token.id)
  })
})

describe('a step', () => {
  test('adds, changes and removes tokens, and keeps the others', async () => {
    const [kept, changed, removed, added] = [newToken(), newToken(), newToken(), newToken()]
    await take(proxy, whole(1, [kept.token, changed.token, removed.token]))
    const before = proxy.configuration.current!
    const tokens = [{ ...changed.token, revoked: true }, added.token]
    assert.equal(await take(proxy, step(1, { tokens, removedTokens: [removed.token.id] }, 1)), 'served')
    assertAt(2)
    assert.equal(askWith(proxy, kept.clear[0]!), kept.token.id)
    assert.equal(askWith(proxy, changed.clear[0]!), 'token_revoked')
    assert.equal(askWith(proxy, removed.clear[0]!), 'invalid_api_key')
    assert.equal(askWith(proxy, added.clear[0]!), added.token.id)
    assert.equal(proxy.configuration.current!.names, before.names, 'routing is not compiled anew')
  })

  test('of thousands of tokens is put in place at once', async () => {
    const made = Array.from({ length: 6_000 }, () => newToken())
    await take(proxy, whole(1, [made[0]!.token]))
    const before = proxy.configuration.current!.tokens
    const parts = step(1, { tokens: made.map(({ token }) => token) })
    await take(proxy, parts.slice(0, -1))
    assert.equal(before.size, 1)
    assert.equal(await take(proxy, parts.slice(-1)), 'served')
    assert.equal(proxy.configuration.current!.tokens.size, made.length)
    assert.equal(before.size, 1, 'the table before is as it was')
    for (const { token, clear } of made) assert.equal(askWith(proxy, clear[0]!), token.id)
  })

  test('replaces projects: one that is not active refuses its tokens', async () => {
    const { token, clear } = newToken()
    await take(proxy, whole(1, [token]))
    await take(proxy, step(1, { replaces: ['projects'], projects: [{ ...PROJECT, active: false }] }))
    assert.equal(askWith(proxy, clear[0]!), 'project_inactive')
    await take(proxy, step(2, { replaces: ['projects'], projects: [] }))
    assert.equal(askWith(proxy, clear[0]!), 'project_inactive', 'nor does one that is not there')
  })

  test('may say that nothing has changed', async () => {
    await take(proxy, whole(1, []))
    const before = proxy.configuration.current
    assert.equal(await take(proxy, step(1, { revision: 1 })), 'served')
    assert.equal(proxy.configuration.current, before)
  })

  test('tells who listens, after the swap', async () => {
    const seen: number[] = []
    proxy.configuration.onSwap((now) => {
      assert.equal(proxy.configuration.current, now)
      seen.push(now.revision)
    })
    await take(proxy, whole(1, []))
    await take(proxy, step(1, { tokens: [newToken().token] }))
    assert.deepEqual(seen, [1, 2])
  })
})

describe('secrets that take one another’s place', () => {
  test('both are good within the grace, and the old one is replaced after it', async () => {
    const { token, clear } = newToken([null, SOON, PAST])
    await take(proxy, whole(1, [token]))
    const [current, within, past] = clear.map((secret) => askWith(proxy, secret))
    assert.deepEqual([current, within, past], [token.id, token.id, 'token_revoked'])
  })

  test('a secret that the token has no more leads nowhere', async () => {
    const { token, clear } = newToken([SOON])
    const next = newToken()
    await take(proxy, whole(1, [token]))
    await take(proxy, step(1, { tokens: [{ ...token, secrets: [...next.token.secrets, ...token.secrets] }] }))
    assert.deepEqual([askWith(proxy, clear[0]!), askWith(proxy, next.clear[0]!)], [token.id, token.id])
    await take(proxy, step(2, { tokens: [{ ...token, secrets: next.token.secrets }] }))
    assert.deepEqual([askWith(proxy, clear[0]!), askWith(proxy, next.clear[0]!)], ['invalid_api_key', token.id])
  })

  test('what is not the secret, though it begins like it, is unknown', async () => {
    const { token, clear } = newToken()
    await take(proxy, whole(1, [token]))
    const [secret] = clear
    const others = [
      secret!.slice(0, -1),
      `${secret}0`,
      secret!.slice(0, 19),
      `sk-mr-${'0'.repeat(12)}-x`,
      'sk-mr-',
      'x',
    ]
    for (const other of others) assert.equal(askWith(proxy, other), 'invalid_api_key', other)
  })
})

describe('refused, and everything stays', () => {
  const good = newToken()
  const step1 = (): SnapshotPart => step(1, { tokens: [newToken().token] })[0]!
  const twoParts = (): SnapshotPart[] => step(1, { tokens: [newToken().token, newToken().token] }, 1)
  const bad: [string, () => unknown[]][] = [
    ['a step from another revision', () => step(2, { tokens: [newToken().token] })],
    ['a step by another mark', () => [{ ...step1(), mark: 'another' }]],
    ['a part that is not the next', () => [twoParts()[1]]],
    ['a part that came twice', () => [twoParts()[0], twoParts()[0]]],
    ['a part of another transfer in between', () => [twoParts()[0], { ...twoParts()[1], revision: 9 }]],
    [
      'parts that disagree about what they replace',
      () => [twoParts()[0], { ...twoParts()[1], replaces: ['projects'] }],
    ],
    ['a whole one that lacks groups', () => [{ ...whole(2, [])[0], replaces: ['tokens'] }]],
    ['projects that replace none', () => [{ ...step1(), projects: [PROJECT] }]],
    ['a token that cannot be read', () => [{ ...step1(), tokens: [{ ...newToken().token, secrets: [] }] }]],
    ['a token whose project is not there', () => step(1, { tokens: [{ ...newToken().token, projectId: newId() }] })],
    ['a text', () => ['garbage']],
  ]
  for (const [name, parts] of bad)
    test(name, async () => {
      await take(proxy, whole(1, [good.token]))
      const before = proxy.configuration.current
      assert.equal(await take(proxy, parts()), 'refused')
      assert.equal(proxy.configuration.current, before)
      assertAt(1)
      assert.equal(askWith(proxy, good.clear[0]!), good.token.id)
      assert.equal(await take(proxy, whole(5, [good.token])), 'served', 'a good one is taken after it')
    })

  test('a step where there is nothing yet', async () => {
    assert.equal(await take(proxy, step(1, {})), 'refused')
    assert.equal(proxy.configuration.current, null)
  })
})
