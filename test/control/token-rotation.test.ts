/** Secrets that take each other's place, and tokens that are revoked together, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { digest } from '@millrace/shared'

import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const { ask, refused, project, token, newestNumber, publishedToken } = operatorOf(stage)
  const rotate = (id: string, graceSeconds?: number | null): Promise<any> =>
    ask(documents.ROTATE_TOKEN, { id, ...(graceSeconds === undefined ? {} : { graceSeconds }) })
  const prefixOf = (secret: string): string => secret.slice(0, secret.lastIndexOf('-'))
  const untilOf = async (id: string, secret: string): Promise<number> => {
    const found = (await publishedToken(id)).secrets.find((one) => one.digest === digest(secret))
    return found?.until ? Date.parse(found.until) : assert.fail('is not there, or has no end')
  }

  test('a rotated token has a new secret, and the old one works for as long as was said', async () => {
    const { id: owner } = await project()
    const first = await token(owner, { maxRequests: 5, metadata: { team: 'a' } })
    const { id } = first.token
    const began = Date.now()
    const second = await rotate(id, 60)
    const ended = Date.now()
    assert.match(second.secret, /^sk-mr-[0-9A-Za-z]{12}-[0-9A-Za-z]{32,}$/)
    assert.notEqual(second.token.prefix, first.token.prefix)
    assert.equal(second.token.prefix, prefixOf(second.secret))
    assert.deepEqual(second.token, { ...first.token, prefix: second.token.prefix })

    const { secrets, revoked } = await publishedToken(id)
    assert.deepEqual([secrets.length, revoked], [2, false])
    assert.deepEqual(secrets[0], { prefix: second.token.prefix, digest: digest(second.secret), until: null })
    assert.deepEqual([secrets[1]!.prefix, secrets[1]!.digest], [first.token.prefix, digest(first.secret)])
    const until = await untilOf(id, first.secret)
    assert.ok(until >= began + 60_000 && until <= ended + 60_000, 'by the clock of the control plane')

    const third = await rotate(id, 2_592_000)
    assert.equal(await untilOf(id, first.secret), until, 'each grace is its own')
    assert.ok((await untilOf(id, second.secret)) > until)
    assert.equal((await publishedToken(id)).secrets[0]!.digest, digest(third.secret))
  })

  for (const [grace, name] of [
    [undefined, 'unless it is said'],
    [null, 'by null'],
    [0, 'by 0'],
  ] as const) {
    test(`there is no grace ${name}`, async () => {
      const { secret, token: made } = await token((await project()).id)
      await rotate(made.id, grace)
      assert.ok((await untilOf(made.id, secret)) <= Date.now())
      const { secret: last } = await rotate(made.id, 60)
      const { secrets } = await publishedToken(made.id)
      assert.deepEqual([secrets.length, secrets[0]!.digest], [2, digest(last)], 'what is over is dropped')
    })
  }

  test('five replaced secrets are kept', async () => {
    const { token: made } = await token((await project()).id)
    const issued: string[] = []
    for (let i = 0; i < 7; i++) issued.push((await rotate(made.id, 1_000)).secret)
    assert.deepEqual(
      (await publishedToken(made.id)).secrets.map((one) => one.digest),
      issued.toReversed().slice(0, 6).map(digest),
    )
  })

  test('what is told of a rotation holds neither secret nor digest', async () => {
    const { secret, token: made } = await token((await project()).id)
    const rotated = await rotate(made.id, 60)
    const { message, changes } = await ask(documents.NEWEST_REVISION)
    assert.equal(message, `update token ${made.name}`)
    assert.deepEqual(
      changes.map(({ action, kind, path }: any) => [action, kind, path]),
      [
        ['UPDATE', 'token', 'prefix'],
        ['UPDATE', 'token', 'replaced'],
      ],
    )
    const told = JSON.stringify([await ask(documents.REVISIONS), await ask(documents.AUDIT), rotated.token])
    for (const one of [secret, rotated.secret]) {
      assert.ok(!told.includes(one.slice(prefixOf(one).length + 1)) && !told.includes(digest(one)))
    }
  })

  test('a revoked token is not rotated, and takes its replaced secrets along', async () => {
    const { token: made } = await token((await project()).id)
    await rotate(made.id, 60)
    await ask(documents.REVOKE_TOKEN, { id: made.id })
    const number = await newestNumber()
    await refused('CONFLICT', undefined, documents.ROTATE_TOKEN, { id: made.id })
    assert.equal(await newestNumber(), number)
    assert.equal((await publishedToken(made.id)).revoked, true)
  })

  test('all tokens of a project are revoked in one change', async () => {
    const { id: owner, name } = await project()
    const tokens = []
    for (let i = 0; i < 4; i++) tokens.push((await token(owner)).token)
    const { token: others } = await token((await project()).id)
    await ask(documents.REVOKE_TOKEN, { id: tokens[0].id })
    const number = await newestNumber()
    const revoke = (): Promise<any> => ask(documents.REVOKE_PROJECT_TOKENS, { project: owner })
    assert.deepEqual(await revoke(), { revoked: 3, alreadyRevoked: 1, total: 4 })

    const newest = await ask(documents.NEWEST_REVISION)
    assert.equal(newest.number, number + 1)
    assert.deepEqual(newest.changes, [{ action: 'UPDATE', kind: 'tokens', name, path: 'revoked', before: 1, after: 4 }])
    const { edges } = await ask(documents.AUDIT)
    const event = edges.map(({ node }: any) => node).find(({ action }: any) => action === 'revokeProjectTokens')
    assert.deepEqual([event.subject, event.project.id, event.result], [`tokens ${name}`, owner, 'SUCCESS'])
    for (const { id } of tokens) assert.equal((await publishedToken(id)).revoked, true)
    assert.equal((await publishedToken(others.id)).revoked, false)
    const listed = (await ask(documents.TOKENS, { project: owner, status: 'REVOKED' })).edges
    assert.ok(listed.length === 4 && listed.every(({ node }: any) => node.revokedAt && node.status === 'REVOKED'))

    assert.deepEqual(await revoke(), { revoked: 0, alreadyRevoked: 4, total: 4 })
    assert.equal(await newestNumber(), newest.number, 'what changes nothing makes no revision')
    const { token: later } = await token(owner)
    assert.equal(later.status, 'ACTIVE')
  })
})
