/** What each store of limits promises: one table for all. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { newId } from '@millrace/shared'

import { QUOTA, type Admission, type Claim, type LimitStore } from '../../../packages/proxy/dist/limits/store.js'
import { unhurried } from '../../helpers/wait.ts'
import { claim, subject, UNUSED, used } from './claims.ts'

export interface LimitStoreKind {
  readonly name: string
  readonly skip: false | string
  /** The same counts, as two processes see them where several share them. */
  open(): Promise<readonly [LimitStore, LimitStore]>
}

const AT = Date.UTC(2026, 10, 20, 23, 59, 59)
const NEXT_DAY = AT + 1_000

async function admitted(store: LimitStore, claimed: Claim): Promise<Admission> {
  const admission = await store.admit(claimed)
  assert.equal(admission.refusal, null)
  return admission
}

async function refused(store: LimitStore, claimed: Claim): Promise<NonNullable<Admission['refusal']>> {
  const { refusal } = await store.admit(claimed)
  assert.ok(refusal, 'was admitted')
  return refusal
}

/** How many have been added to a rate by now. */
function added(since: number, perMinute: number): number {
  return ((performance.now() - since) * perMinute) / 60_000
}

/** How many of so many claims at once are admitted. */
async function passing(stores: readonly LimitStore[], claims: readonly Claim[]): Promise<number> {
  const admissions = await Promise.all(claims.map(async (one, i) => stores[i % stores.length]!.admit(one)))
  return admissions.filter(({ refusal }) => refusal === null).length
}

export function testLimitStore(kind: LimitStoreKind): void {
  suite(`limits in ${kind.name}`, { skip: kind.skip }, () => {
    test('let 2 of 50 at once through a quota of 2', async () => {
      const stores = await kind.open()
      for (let round = 0; round < 10; round++) {
        const one = subject({ maxRequests: 2 })
        assert.equal(
          await passing(
            stores,
            Array.from({ length: 50 }, () => claim(one)),
          ),
          2,
        )
        const refusal = await refused(stores[0], claim(one))
        assert.deepEqual(refusal, { limit: 'quota', kind: 'token', retryAfterMs: null })
      }
    })

    test('give a place in the quota back where nothing was sent, and only there', async () => {
      const [store, other] = await kind.open()
      const one = subject({ maxRequests: 1 })
      const unsent = claim(one)
      await admitted(store, unsent)
      store.settle(unsent, UNUSED)
      const sent = claim(one)
      await admitted(store, sent)
      store.settle(sent, { ...UNUSED, counted: true })
      await refused(store, claim(one))
      await refused(other, claim(one))
    })

    test('let as many through at once as may be, and others when one has ended', async () => {
      const stores = await kind.open()
      const one = subject({ maxConcurrent: 3 })
      const claims = Array.from({ length: 20 }, () => claim(one))
      assert.equal(await passing(stores, claims), 3)
      assert.deepEqual(await refused(stores[0], claim(one)), {
        limit: 'concurrency',
        kind: 'token',
        retryAfterMs: 1_000,
      })
      for (const [i, each] of claims.entries()) stores[i % 2]!.settle(each, used(1))
      assert.equal(
        await passing(
          stores,
          Array.from({ length: 20 }, () => claim(one)),
        ),
        3,
      )
    })

    test('let a minute of requests through at once, and go on at that rate', async () => {
      const stores = await kind.open()
      const one = subject({ requestsPerMinute: 600 })
      const before = performance.now()
      const passed = await passing(
        stores,
        Array.from({ length: 1_000 }, () => claim(one)),
      )
      const refilled = Math.floor((performance.now() - before) / 100)
      assert.ok(passed >= 600 && passed <= 600 + refilled + 1, `${passed} passed`)
      let refusal: Admission['refusal'] = null
      for (let i = 0; refusal === null && i < 600; i++) ({ refusal } = await stores[1].admit(claim(one)))
      assert.equal(refusal?.limit, 'requests')
      const { retryAfterMs } = refusal
      assert.ok(retryAfterMs !== null && retryAfterMs >= 1 && retryAfterMs <= 100, `in ${retryAfterMs} ms`)
      await sleep(retryAfterMs + 5)
      await admitted(stores[0], claim(one))
    })

    test('take tokens as they are estimated, and settle them as they were', async () => {
      const [store] = await kind.open()
      const one = subject({ tokensPerMinute: 1_000 })
      const first = claim(one, { tokens: 600 })
      const began = performance.now()
      const { tokens } = await admitted(store, first)
      assert.equal(tokens?.limit, 1_000)
      assert.equal(tokens.remaining, 400)
      assert.ok(Math.abs(tokens.resetMs - 36_000) <= 10, `${tokens.resetMs} ms`)
      const { limit, retryAfterMs } = await refused(store, claim(one, { tokens: 500 }))
      assert.equal(limit, 'tokens')
      assert.ok(retryAfterMs !== null && retryAfterMs <= 6_000)
      assert.ok(retryAfterMs > 5_000 - (performance.now() - began), `in ${retryAfterMs} ms`)
      store.settle(first, used(100))
      const remaining = (await admitted(store, claim(one, { tokens: 500 }))).tokens!.remaining
      assert.ok(remaining >= 400 && remaining < 430 + added(began, 1_000), `${remaining} remain`)
    })

    test('let what was used beyond the estimate be paid off by time', async () => {
      const [store] = await kind.open()
      await unhurried(2_500, async (milliseconds, late) => {
        const one = subject({ tokensPerMinute: 6_000 })
        const greedy = claim(one, { tokens: 10 })
        const began = performance.now()
        await admitted(store, greedy)
        // A hundred are paid off each second, and a hundred are asked for.
        store.settle(greedy, used(6_000 + milliseconds / 10 - 100))
        const { requests, tokens, refusal } = await store.admit(claim(one, { tokens: 100 }))
        const took = performance.now() - began
        late(took > milliseconds - 1_200)
        assert.equal(requests, null)
        assert.equal(tokens?.remaining, 0)
        const resetMs = 59_000 + milliseconds
        assert.ok(tokens.resetMs > resetMs - took - 500 && tokens.resetMs <= resetMs, `${tokens.resetMs} ms`)
        assert.ok(refusal?.retryAfterMs && refusal.retryAfterMs <= milliseconds)
        assert.ok(refusal.retryAfterMs > milliseconds - took - 500, `in ${refusal.retryAfterMs} ms`)
        await sleep(refusal.retryAfterMs + 5)
        await admitted(store, claim(one, { tokens: 100 }))
      })
    })

    test('save nothing up beyond a minute while a request runs', async () => {
      const [store] = await kind.open()
      const one = subject({ tokensPerMinute: 6_000 })
      const long = claim(one, { tokens: 10 })
      await admitted(store, long)
      await sleep(2_000)
      const since = performance.now()
      store.settle(long, used(6_010))
      const { remaining } = (await admitted(store, claim(one))).tokens!
      assert.ok(remaining < 150 + added(since, 6_000), `${remaining} remain of what was all used up just now`)
    })

    test('settle all of a claim, however much it has used', async () => {
      const [store] = await kind.open()
      for (let i = 0; i < 3; i++) {
        const id = newId()
        const greedy = claim(subject({ id, tokensPerMinute: 1, maxConcurrent: 1 }), { tokens: 1 })
        await admitted(store, greedy)
        store.settle(greedy, used(10 ** (14 + i)))
        assert.equal((await refused(store, claim(subject({ id, tokensPerMinute: 1 }), { tokens: 1 }))).limit, 'tokens')
        await admitted(store, claim(subject({ id, maxConcurrent: 1 })))
      }
    })

    test('refuse for good what is larger than a minute holds', async () => {
      const [store] = await kind.open()
      const one = subject({ tokensPerMinute: 1_000 })
      const refusal = await refused(store, claim(one, { tokens: 1_001 }))
      assert.deepEqual(refusal, { limit: 'tokens', kind: 'token', retryAfterMs: null })
      await admitted(store, claim(one, { tokens: 1_000 }))
    })

    test('take of all subjects or of none', async () => {
      const [store] = await kind.open()
      const token = subject({ requestsPerMinute: 2, tokensPerMinute: 1_000, maxRequests: 5, budget: ['1', 'TOTAL'] })
      const project = subject({ kind: 'project', maxConcurrent: 1, budget: ['1', 'TOTAL'] })
      const first = claim([token, project], { tokens: 100, cost: '0.4' })
      await admitted(store, first)
      for (let i = 0; i < 20; i++) {
        const refusal = await refused(store, claim([token, project], { tokens: 100, cost: '0.4' }))
        assert.deepEqual([refusal.limit, refusal.kind], ['concurrency', 'project'])
      }
      store.settle(first, used(100, '0.4'))
      const { requests, tokens } = await admitted(store, claim([token, project], { tokens: 100, cost: '0.4' }))
      assert.equal(requests?.remaining, 0)
      assert.ok(tokens!.remaining >= 800 && tokens!.remaining <= 900)
    })

    test('tell of several subjects the one with the least left, and the limit that lasts longest', async () => {
      const [store] = await kind.open()
      const token = subject({ requestsPerMinute: 100, tokensPerMinute: 500 })
      const project = subject({ kind: 'project', requestsPerMinute: 2, tokensPerMinute: 5_000, maxRequests: 2 })
      const { requests, tokens } = await admitted(store, claim([token, project], { tokens: 300 }))
      assert.deepEqual([requests?.limit, requests?.remaining], [2, 1])
      assert.deepEqual([tokens?.limit, tokens?.remaining], [500, 200])
      const more = await store.admit(claim([token, project], { tokens: 300 }))
      assert.deepEqual([more.refusal?.limit, more.refusal?.kind], ['tokens', 'token'])
      assert.deepEqual([more.requests?.limit, more.requests?.remaining], [2, 1])
      await admitted(store, claim(project, { tokens: 1 }))
      assert.equal((await refused(store, claim([token, project], { tokens: 300 }))).limit, 'quota')
    })

    test('hold budgets to the picodollar', async () => {
      const [store, other] = await kind.open()
      const one = subject({ budget: ['1000000000.000000000003', 'MONTH'] })
      const large = claim(one, { cost: '1000000000' })
      await admitted(store, large)
      await admitted(other, claim(one, { cost: '0.000000000001' }))
      await refused(store, claim(one, { cost: '0.000000000003' }))
      await admitted(store, claim(one, { cost: '0.000000000002' }))
      await refused(other, claim(one, { cost: '0.000000000001' }))
      store.settle(large, used(0, '999999999.999999999999'))
      const last = claim(one, { cost: '0.000000000001' })
      await admitted(other, last)
      other.settle(last, used(0, '0.000000000001'))
      await refused(store, claim(one, { cost: '0.000000000001' }))
    })

    test('let no more through at once than a budget has room for', async () => {
      const stores = await kind.open()
      const project = subject({ kind: 'project', budget: ['1', 'DAY'] })
      const claims = Array.from({ length: 200 }, () => claim([subject(), project], { cost: '0.03' }))
      assert.equal(await passing(stores, claims), 33)
    })

    test('refuse what costs nothing, as far as is known, once all is spent', async () => {
      const [store] = await kind.open()
      const one = subject({ budget: ['1', 'TOTAL'] })
      const all = claim(one, { cost: '1' })
      await admitted(store, all)
      await admitted(store, claim(one))
      store.settle(all, used(0, '1'))
      assert.deepEqual(await refused(store, claim(one)), { limit: 'budget', kind: 'token', retryAfterMs: null })
      const nothing = subject({ budget: ['0', 'TOTAL'] })
      await admitted(store, claim(nothing))
      await refused(store, claim(nothing, { cost: '0.000000000001' }))
    })

    test("begin anew at a period's turn, once, and settle where it was begun", async () => {
      const [store] = await kind.open()
      const one = subject({ budget: ['1', 'DAY'] })
      const late = claim(one, { at: AT, cost: '1' })
      await admitted(store, late)
      await refused(store, claim(one, { at: AT, cost: '0.1' }))
      await admitted(store, claim(one, { at: NEXT_DAY, cost: '0.9' }))
      store.settle(late, used(0, '0.5'))
      await refused(store, claim(one, { at: NEXT_DAY, cost: '0.2' }))
      await admitted(store, claim(one, { at: AT, cost: '0.5' }))
      const month = subject({ id: one.id, budget: ['1', 'MONTH'] })
      await admitted(store, claim(month, { at: NEXT_DAY, cost: '1' }))
    })

    test('say when a budget has room again', async () => {
      const [store] = await kind.open()
      const one = subject({ budget: ['1', 'DAY'] })
      await admitted(store, claim(one, { cost: '1' }))
      const { retryAfterMs } = await refused(store, claim(one, { cost: '0.1' }))
      const midnight = new Date().setUTCHours(24, 0, 0, 0) - Date.now()
      assert.ok(retryAfterMs !== null && Math.abs(retryAfterMs - midnight) < 60_000, `in ${retryAfterMs} ms`)
      assert.equal((await refused(store, claim(one, { cost: '1.1' }))).retryAfterMs, null)
    })

    test('settle a claim once, and none that was not admitted', async () => {
      const [store, other] = await kind.open()
      const one = subject({ tokensPerMinute: 1_000, maxConcurrent: 2, maxRequests: 10, budget: ['1', 'TOTAL'] })
      const began = performance.now()
      const [first, second, third] = Array.from({ length: 3 }, () => claim(one, { tokens: 100, cost: '0.4' }))
      await admitted(store, first!)
      await admitted(store, second!)
      await refused(store, third!)
      store.settle(third!, UNUSED)
      for (let i = 0; i < 3; i++) store.settle(first!, used(50, '0.1'))
      const next = claim(one, { tokens: 100, cost: '0.5' })
      await admitted(store, next)
      await refused(store, claim(one))
      store.settle(next, used(100, '0.5'))
      const { refusal, tokens } = await other.admit(claim(one, { tokens: 100, cost: '0.1' }))
      assert.equal(refusal?.limit, 'budget', '0.1 + 0.4 + 0.5 are all of it')
      assert.ok(
        tokens!.remaining >= 750 && tokens!.remaining < 800 + added(began, 1_000),
        `${tokens!.remaining} remain`,
      )
    })

    test('give back what is settled while its admission is awaited', async () => {
      const [store] = await kind.open()
      const one = subject({ maxConcurrent: 1, maxRequests: 1, budget: ['1', 'TOTAL'] })
      for (let i = 0; i < 10; i++) {
        const gone = claim(one, { cost: '1' })
        const pending = store.admit(gone)
        store.settle(gone, UNUSED)
        await pending
      }
      await admitted(store, claim(one, { cost: '1' }))
    })

    test('go by the limits as they are now', async () => {
      const [store] = await kind.open()
      const id = newId()
      const by = (options: Parameters<typeof subject>[0]) =>
        claim(subject({ id, ...options }), { tokens: 10, cost: '0.1' })
      for (let i = 0; i < 2; i++)
        await admitted(store, by({ requestsPerMinute: 2, tokensPerMinute: 1_000, maxConcurrent: 50 }))
      await refused(store, by({ requestsPerMinute: 2 }))
      const { requests } = await admitted(store, by({ requestsPerMinute: 5 }))
      assert.equal(requests?.remaining, 2, 'what was used counts, what was added is there')
      assert.equal((await admitted(store, by({ requestsPerMinute: 1 }))).requests?.remaining, 0)
      assert.equal((await refused(store, by({ maxConcurrent: 2 }))).limit, 'concurrency')
      await admitted(store, by({ budget: ['1', 'TOTAL'] }))
      await admitted(store, by({ budget: ['1', 'TOTAL'] }))
      assert.equal((await refused(store, by({ budget: ['0.2', 'TOTAL'] }))).limit, 'budget')
      assert.equal((await refused(store, by({ budget: ['0', 'TOTAL'] }))).limit, 'budget')
      await admitted(store, by({ maxConcurrent: 50 }))
      await refused(store, by({ budget: ['0.29', 'TOTAL'] }))
      await admitted(store, by({ budget: ['0.3', 'TOTAL'] }))
    })

    test('never know less than control does, and never lower what they know', async () => {
      const [store, other] = await kind.open()
      const at = Date.now()
      const window = new Date(at).toISOString().slice(0, 10)
      const id = newId()
      const one = subject({ id, maxRequests: 10, budget: ['1', 'DAY'], used: { window, spentUsd: '0.7', requests: 8 } })
      await refused(store, claim(one, { at, cost: '0.4' }))
      await admitted(store, claim(one, { at, cost: '0.1' }))
      const before = subject({
        id,
        maxRequests: 10,
        budget: ['1', 'DAY'],
        used: { window, spentUsd: '0.5', requests: 1 },
      })
      await refused(other, claim(before, { at, cost: '0.3' }))
      await admitted(other, claim(before, { at, cost: '0.1' }))
      assert.equal((await refused(store, claim(before, { at }))).limit, 'quota')
      const day = subject({ id, budget: ['1', 'DAY'], used: { window: '2020-01-01', spentUsd: '9', requests: 8 } })
      await admitted(store, claim(day, { at, cost: '0.1' }))

      const another = subject({ maxRequests: 10, budget: ['1', 'DAY'] })
      store.raise([
        { subjectId: another.id, window, spent: 800_000_000_000n },
        { subjectId: another.id, window: '2020-01-01', spent: 10n ** 24n },
        { subjectId: another.id, window: QUOTA, spent: 9n },
      ])
      assert.equal((await refused(store, claim(another, { at, cost: '0.3' }))).limit, 'budget')
      await admitted(store, claim(another, { at, cost: '0.2' }))
      assert.equal((await refused(store, claim(another, { at }))).limit, 'quota')
    })

    test('count what is held beside what control knows', async () => {
      const [store] = await kind.open()
      const one = subject({ budget: ['1', 'TOTAL'] })
      const held = claim(one, { cost: '0.3' })
      await admitted(store, held)
      store.raise([{ subjectId: one.id, window: 'total', spent: 600_000_000_000n }])
      await refused(store, claim(one, { cost: '0.2' }))
      store.settle(held, used(0, '0.1'))
      await admitted(store, claim(one, { cost: '0.3' }))
      await refused(store, claim(one, { cost: '0.000000000001' }))
    })
  })
}
