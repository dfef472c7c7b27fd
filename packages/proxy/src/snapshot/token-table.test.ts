import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { newId, newSecret, TOKEN_PREFIX } from '@millrace/shared'

import type { LimitedSubject } from '../limits/store.ts'
import { TokenTable, type TokenSecret, type TokenWithSecrets } from './token-table.ts'

function secret(until: number | null = null): TokenSecret {
  const { prefix, digest } = newSecret(TOKEN_PREFIX)
  return { publicId: prefix.slice(TOKEN_PREFIX.length), digest: Buffer.from(digest, 'hex').toString('latin1'), until }
}

function entry(over: Partial<TokenWithSecrets['token']> = {}, secrets = [secret()]): TokenWithSecrets {
  const token = {
    id: newId(),
    name: 'n',
    projectId: newId(),
    revoked: false,
    expiresAt: null,
    limited: null,
    access: null,
  }
  return { token: { ...token, ...over }, secrets }
}

function limitedTo(id: string, requestsPerMinute: number, spentUsd: string): LimitedSubject {
  return {
    kind: 'token',
    id,
    requestsPerMinute,
    tokensPerMinute: null,
    maxConcurrent: null,
    maxRequests: null,
    budget: { limit: 5n, period: 'DAY' },
    used: { window: '2026-11-20', spentUsd, requests: 0 },
  }
}

function copied(table: TokenTable): TokenTable {
  const steps = table.copyInSteps()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

function assertHolds(table: TokenTable, { token, secrets }: TokenWithSecrets): void {
  assert.deepEqual(table.tokenOf(token.id), token)
  for (const { publicId, digest, until } of secrets) {
    const found = table.find(publicId)
    assert.ok(found, publicId)
    assert.deepEqual([found.digest, found.until], [digest, until])
    assert.deepEqual(table.at(found.row), token)
  }
}

function assertLacks(table: TokenTable, { token, secrets }: TokenWithSecrets): void {
  assert.equal(table.tokenOf(token.id), undefined)
  for (const { publicId } of secrets) assert.equal(table.find(publicId), undefined)
}

describe('TokenTable', () => {
  it('gives back what was put in, of each its own', () => {
    const table = new TokenTable()
    const [first, second] = [newId(), newId()]
    const all = [
      entry(),
      entry({ name: 'ü', revoked: true, expiresAt: 1_800_000_000_123 }),
      entry({ id: first, limited: limitedTo(first, 7, '0') }),
      entry({ id: second, limited: limitedTo(second, 7, '1.5') }),
      entry({}, [secret(), secret(5), secret(6)]),
      entry({}, [secret(7)]),
    ]
    for (const one of all) table.set(one)
    assert.equal(table.size, all.length)
    for (const one of all) assertHolds(table, one)
    assert.equal(table.find(secret().publicId), undefined)
    assert.equal(table.tokenOf(newId()), undefined)
  })

  it('forgets the secrets that a token has no more', () => {
    const table = new TokenTable()
    const [current, older, oldest] = [secret(), secret(5), secret(6)]
    const { token } = entry()
    table.set({ token, secrets: [older, oldest] })
    table.set({ token, secrets: [current, older] })
    assertHolds(table, { token, secrets: [current, older] })
    assert.equal(table.find(oldest.publicId), undefined)
    table.set({ token: { ...token, revoked: true }, secrets: [current] })
    assert.equal(table.find(older.publicId), undefined)
    assert.equal(table.at(table.find(current.publicId)!.row).revoked, true)
    assert.equal(table.size, 1)
  })

  it('takes secrets of another form, and public ids that are not unique, without finding anything wrong', () => {
    const table = new TokenTable()
    const odd = entry({}, [{ ...secret(), publicId: 'of another form' }, secret(9)])
    const one = entry()
    const same = entry({}, [{ ...secret(), publicId: one.secrets[0]!.publicId }])
    for (const each of [odd, one, same]) table.set(each)
    assertHolds(table, odd)
    assertHolds(table, one)
    assert.deepEqual(table.tokenOf(same.token.id), same.token)
    table.delete(same.token.id)
    assertHolds(table, one)
    for (const each of [odd, one]) {
      table.delete(each.token.id)
      assertLacks(table, each)
    }
    assert.equal(table.size, 0)
  })

  it('agrees with a Map after thousands of changes, and so does its copy, which is its own', () => {
    const table = new TokenTable()
    const expected = new Map<string, TokenWithSecrets>()
    const gone: TokenWithSecrets[] = []
    for (let i = 0; i < 6_000; i++) {
      const ids = [...expected.keys()]
      const id = i % 3 === 0 && ids.length > 0 ? ids[(i * 7) % ids.length]! : newId()
      const before = expected.get(id)
      if (before !== undefined && i % 2 === 0) {
        table.delete(id)
        expected.delete(id)
        gone.push(before)
        continue
      }
      const one = entry({ id }, i % 5 === 0 ? [secret(), secret(i)] : [secret()])
      table.set(one)
      expected.set(id, one)
    }
    const copy = copied(table)
    for (const each of [table, copy]) {
      assert.equal(each.size, expected.size)
      for (const one of expected.values()) assertHolds(each, one)
      for (const one of gone) assertLacks(each, one)
    }
    const [some] = expected.values()
    copy.delete(some!.token.id)
    assertHolds(table, some!)
    assertLacks(copy, some!)
  })
})
