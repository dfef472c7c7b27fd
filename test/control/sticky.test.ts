/** Sticky bindings as records tell of them, and their being cleared, on each database. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  INGEST_RECORDS_MUTATION,
  INSTRUCTIONS_SUBSCRIPTION,
  newId,
  type RequestRecord,
  type StickyOutcomeRecord,
} from '@millrace/shared'

import { createAlias, createProvider } from '../helpers/configuration.ts'
import { startControl } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { databases } from '../helpers/postgres.ts'
import { waitFor, within } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const BINDINGS = `query ($alias: ID!, $key: String, $first: Int, $after: String) {
  it: stickyBindings(alias: $alias, key: $key, first: $first, after: $after) { key scope boundAt expiresAt alias { id } route { id } }
}`
const CLEAR = 'mutation ($alias: ID!, $key: String) { it: clearStickyBindings(alias: $alias, key: $key) }'

/** Milliseconds from now, as records write them. */
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()

await onEachDatabase((stage) => {
  const ask = async (document: string, variables = {}): Promise<any> =>
    (await stage.control.gql(document, variables)).it
  const ingest = (records: readonly RequestRecord[]): Promise<unknown> =>
    stage.control.gql(INGEST_RECORDS_MUTATION, { records }, stage.control.proxyKey)
  const aliasOfTwo = async (): Promise<{ alias: string; routes: string[] }> => {
    const provider = await createProvider(stage.control, null, { kind: 'SIMULATED' })
    const name = uniqueName('sticky')
    const alias = await createAlias(stage.control, name, [{ provider }, { provider }], { sticky: { scope: 'USER' } })
    const { routes } = await ask(documents.ALIAS_BY_NAME, { name })
    return { alias, routes: routes.map(({ id }: any) => id) }
  }
  /** A record that tells of a binding. */
  const told = (
    aliasId: string,
    sticky: Partial<StickyOutcomeRecord> & { readonly key: string; readonly routeId: string },
    more: Partial<RequestRecord> = {},
  ): RequestRecord => {
    const record = sample({ aliasId, ...more })
    const bound = { boundAt: inMs(-1_000), expiresAt: inMs(60_000), scope: 'USER', action: 'BIND' } as const
    return {
      ...record,
      decision: { ...record.decision!, sticky: { ...record.decision!.sticky, ...bound, ...sticky } },
    }
  }
  const bindingsOf = async (alias: string, more = {}): Promise<any[]> => ask(BINDINGS, { alias, ...more })
  const routeOf = async (alias: string, key: string): Promise<string | undefined> =>
    (await bindingsOf(alias, { key }))[0]?.route.id

  describe('bindings', () => {
    test('are those that records tell of, of routes that there are', async () => {
      const { alias, routes } = await aliasOfTwo()
      const [ann, bob, eve] = [`${alias}:p:USER:ann`, `${alias}:p:USER:bob`, `${alias}:p:USER:eve`] as const
      const [boundAt, expiresAt] = [inMs(-5_000), inMs(100_000)]
      await ingest([
        told(alias, { key: ann, routeId: routes[0]!, boundAt, expiresAt }),
        told(alias, { key: bob, routeId: routes[1]!, boundAt: inMs(-100) }),
        told(alias, { key: eve, routeId: newId() }),
        told(alias, { key: 'expired', routeId: routes[0]!, expiresAt: inMs(-1) }),
        told(alias, { key: 'x'.repeat(4_000), routeId: routes[0]! }),
        told(newId(), { key: 'of another alias', routeId: routes[0]! }),
        sample({ aliasId: alias }),
      ])
      const bindings = await bindingsOf(alias)
      assert.deepEqual(
        bindings.map(({ key }) => key),
        [ann, bob],
      )
      assert.deepEqual(
        { ...bindings[0] },
        { key: ann, scope: 'USER', boundAt, expiresAt, alias: { id: alias }, route: { id: routes[0] } },
      )
      assert.deepEqual(await bindingsOf(alias, { key: 'nobody' }), [])
      await assert.rejects(bindingsOf(newId()), { code: 'NOT_FOUND', field: 'alias' })
      await assert.rejects(bindingsOf(alias, { first: 501 }), { code: 'BAD_USER_INPUT', field: 'first' })
    })

    test('are listed page by page, in the order of their keys', async () => {
      const { alias, routes } = await aliasOfTwo()
      const keys = Array.from({ length: 7 }, (_, i) => `${alias}:p:USER:${(i * 3) % 7}`)
      await ingest(keys.map((key) => told(alias, { key, routeId: routes[0]! })))
      const seen: string[] = []
      for (let page: any[] | null = null; page === null || page.length === 3;) {
        page = await bindingsOf(alias, { first: 3, after: seen.at(-1) ?? null })
        seen.push(...page.map(({ key }) => key))
      }
      assert.deepEqual(seen, keys.toSorted())
      await assert.rejects(bindingsOf(alias, { after: '\0' }), { code: 'BAD_USER_INPUT', field: 'after' })
    })

    test('never move back in time, in whatever order records come', async () => {
      const { alias, routes } = await aliasOfTwo()
      const [first, second] = routes as [string, string]
      const [early, late] = [inMs(-50_000), inMs(-10_000)]
      const [bound, moved] = [inMs(-60_000), inMs(-20_000)]
      const soon = { expiresAt: inMs(30_000) }
      const later = { expiresAt: inMs(90_000) }
      const key = uniqueName('key')
      const bind = told(alias, { key, routeId: first, boundAt: bound, ...soon }, { startedAt: bound })
      const use = told(alias, { key, routeId: first, boundAt: bound, ...later }, { startedAt: early })
      const move = told(alias, { key, routeId: second, boundAt: moved, ...soon }, { startedAt: early })
      const useAgain = told(alias, { key, routeId: second, boundAt: moved, ...later }, { startedAt: late })
      const state = async (): Promise<unknown> => {
        const [binding] = await bindingsOf(alias, { key })
        return [binding.route.id, binding.boundAt, binding.expiresAt]
      }
      await ingest([use, bind])
      assert.deepEqual(await state(), [first, bound, later.expiresAt])
      await ingest([{ ...bind, id: newId() }])
      assert.deepEqual(await state(), [first, bound, later.expiresAt])
      await ingest([move])
      assert.deepEqual(await state(), [second, moved, soon.expiresAt])
      await ingest([{ ...use, id: newId() }, useAgain, { ...move, id: newId() }])
      assert.deepEqual(await state(), [second, moved, later.expiresAt])
    })
  })

  describe('clearing', () => {
    test('forgets one binding or all of an alias, and says how many', async () => {
      const { alias, routes } = await aliasOfTwo()
      const other = await aliasOfTwo()
      const keys = ['a', 'b', 'c'].map(uniqueName)
      const bindings = keys.map((key) => told(alias, { key, routeId: routes[0]! }))
      const kept = uniqueName('kept')
      await ingest([...bindings, told(other.alias, { key: kept, routeId: other.routes[0]! })])
      assert.equal(await ask(CLEAR, { alias, key: keys[0] }), 1)
      assert.deepEqual(new Set((await bindingsOf(alias)).map(({ key }) => key)), new Set(keys.slice(1)))
      assert.equal(await ask(CLEAR, { alias, key: keys[0] }), 0)
      assert.equal(await ask(CLEAR, { alias, key: '\ud800' }), 0, 'half a character')
      assert.equal(await ask(CLEAR, { alias }), 2)
      assert.deepEqual(await bindingsOf(alias), [])
      assert.equal(await routeOf(other.alias, kept), other.routes[0])
      await assert.rejects(ask(CLEAR, { alias: newId() }), { code: 'NOT_FOUND', field: 'alias' })
    })

    test('holds against records of before it, and not against those of after it', async () => {
      const { alias, routes } = await aliasOfTwo()
      const [one, two] = [uniqueName('one'), uniqueName('two')]
      const before = { routeId: routes[0]!, boundAt: inMs(-10) }
      await ask(CLEAR, { alias, key: one })
      await ingest([told(alias, { key: one, ...before }), told(alias, { key: two, ...before })])
      assert.deepEqual([await routeOf(alias, one), await routeOf(alias, two)], [undefined, routes[0]])
      await ask(CLEAR, { alias })
      await ingest([told(alias, { key: two, ...before })])
      assert.equal(await routeOf(alias, two), undefined)
      const later = { routeId: routes[1]!, boundAt: inMs(1_000) }
      await ingest([told(alias, { key: one, ...later }), told(alias, { key: two, ...later })])
      assert.deepEqual([await routeOf(alias, one), await routeOf(alias, two)], [routes[1], routes[1]])
    })

    test('is audited, and makes no revision', async () => {
      const { alias } = await aliasOfTwo()
      const { number } = await ask(documents.NEWEST_REVISION)
      await ask(CLEAR, { alias, key: 'a key' })
      assert.equal((await ask(documents.NEWEST_REVISION)).number, number)
      const [{ node }] = (await ask(documents.AUDIT)).edges
      assert.deepEqual(
        [node.actor, node.action, node.result, node.details.key],
        ['first admin', 'clearStickyBindings', 'SUCCESS', 'a key'],
      )
      assert.match(node.subject, /^alias sticky-/)
    })
  })

  describe('instructions', () => {
    const instructions = () => stage.control.subscribe<any>(INSTRUCTIONS_SUBSCRIPTION, {}, stage.control.proxyKey)

    test('come at once, and again to whoever was away, in their order', async () => {
      const { alias } = await aliasOfTwo()
      const own = async (events: ReturnType<typeof instructions>): Promise<any> => {
        for (;;) {
          const { instructions: instruction } = (await within(10_000, 'an instruction', events.next())).value
          if (instruction.clearStickyBindings.aliasId === alias) return instruction
        }
      }
      await ask(CLEAR, { alias, key: 'first' })
      await using events = instructions()
      const first = await own(events)
      assert.deepEqual({ ...first.clearStickyBindings }, { aliasId: alias, key: 'first' })
      assert.ok(Math.abs(Date.now() - Date.parse(first.at)) < 60_000)
      assert.ok(first.ageMs >= 0 && first.ageMs < 60_000, `${first.ageMs} ms`)
      await ask(CLEAR, { alias })
      const second = await own(events)
      assert.equal(second.clearStickyBindings.key, null)
      await events.return!()
      await ask(CLEAR, { alias, key: 'third' })
      const since = Date.now() - Date.parse(first.at)
      await using again = instructions()
      const heard = [await own(again), await own(again), await own(again)]
      assert.deepEqual(
        heard.map(({ id, clearStickyBindings: { key } }) => [id, key]),
        [
          [first.id, 'first'],
          [second.id, null],
          [heard[2].id, 'third'],
        ],
      )
      const ages = heard.map(({ ageMs }) => ageMs)
      assert.deepEqual(
        ages,
        ages.toSorted((a, b) => b - a),
      )
      assert.ok(ages[0] > since - 1_000, `${ages[0]} ms of ${since}`)
      assert.equal(await Promise.race([again.next().then(() => 'spoke'), sleep(200, 'silent')]), 'silent')
    })

    test('outlive a restart of control', async () => {
      const { alias } = await aliasOfTwo()
      await ask(CLEAR, { alias, key: 'kept' })
      await stage.control.restart()
      await using events = instructions()
      await waitFor(async () => {
        const { value } = await within(10_000, 'an instruction', events.next())
        return value.instructions.clearStickyBindings.aliasId === alias
      })
    })

    test('are for proxies alone', async () => {
      await using events = stage.control.subscribe(INSTRUCTIONS_SUBSCRIPTION)
      await assert.rejects(events.next(), { code: 'FORBIDDEN' })
    })
  })
})

const found = await databases()
after(() => found.close())
const server = found.kinds.find(({ name }) => name === 'PostgreSQL')!

test('an instruction given to one control process reaches the proxies of another', { skip: server.skip }, async () => {
  await using database = await server.create()
  const options = { databaseUrl: database.databaseUrl! }
  await using one = await startControl(options)
  await using other = await startControl({ ...options, dataDir: one.dataDir })
  const provider = await createProvider(one, null, { kind: 'SIMULATED' })
  const alias = await createAlias(one, uniqueName('sticky'), provider)
  await using events = other.subscribe<any>(INSTRUCTIONS_SUBSCRIPTION, {}, one.proxyKey)
  const next = events.next()
  await events.connected
  await one.gql(CLEAR, { alias })
  // Ten times what a change of configuration may take.
  const { value } = await within(10_000, 'the instruction', next)
  assert.equal(value.instructions.clearStickyBindings.aliasId, alias)
})
