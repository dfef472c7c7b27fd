/** The feed of requests at one control process, on each database: what it tells, to whom, in which order, and again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { LIVE_WANTED_SUBSCRIPTION, MAX_LIVE_BATCH, newId } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import { waitFor, within } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { ingest, Listener, listening, liveEvent, report } from './feeding.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const ALL = ['STARTED', 'FIRST_TOKEN', 'FINISHED']

await onEachDatabase((stage) => {
  describe('requests while they are served', () => {
    test('are told before their records, with what is in flight', async () => {
      const { listener, make } = await listening(stage.control, { kinds: ALL })
      await using _ = listener
      const record = make({ model: 'told' })
      assert.equal(await report(stage.control, liveEvent('STARTED', record)), 1)
      await report(stage.control, liveEvent('FIRST_TOKEN', record, { outputTokens: 7 }))
      await ingest(stage.control, record)
      const events = (await listener.has(3)).slice(0, 3) as any[]
      assert.deepEqual(
        listener.told,
        ALL.map((kind) => `${kind} told`),
      )
      assert.deepEqual(
        events.map((event) => [event.requestId, event.record?.id ?? null, event.inFlight?.outputTokens ?? null]),
        [
          [record.requestId, null, 1],
          [record.requestId, null, 7],
          [record.requestId, record.id, null],
        ],
      )
      const ids = events.map(({ id }) => id)
      assert.ok(ids[0] < ids[1] && ids[1] < ids[2], ids.join())
    })

    test('that come after the record, or twice, are not told', async () => {
      const { listener, make } = await listening(stage.control, { kinds: ALL })
      await using _ = listener
      const [late, twice, end] = [make({ model: 'late' }), make({ model: 'twice' }), make({ model: 'end' })]
      await ingest(stage.control, late)
      await report(stage.control, liveEvent('STARTED', late), liveEvent('STARTED', twice), liveEvent('STARTED', twice))
      await ingest(stage.control, end)
      await listener.has(3)
      assert.deepEqual(listener.told, ['FINISHED late', 'STARTED twice', 'FINISHED end'])
    })

    test('are taken as far as they are well-formed, and not more than a batch', async () => {
      const event = liveEvent('STARTED', sample())
      assert.equal(await report(stage.control, { ...event, kind: 'FINISHED' }, event, 'x', { ...event, id: 'x' }), 1)
      await assert.rejects(report(stage.control, ...Array<unknown>(MAX_LIVE_BATCH + 1).fill(event)), {
        code: 'BAD_USER_INPUT',
        field: 'events',
      })
    })

    for (const [what, filter, expected] of [
      ['what is known at the end', { status: ['SUCCESS'] }, ['FINISHED']],
      ['what it costs', { minCostUsd: '0' }, ['FINISHED']],
      ['the model', { model: 'asked' }, ALL],
      ['a stream', { stream: false }, ALL],
      ['when it began', { from: '2020-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' }, ALL],
    ] as const) {
      test(`are found by ${what} as far as they know it`, async () => {
        const { listener, make } = await listening(stage.control, { kinds: ALL })
        await using _ = listener
        const record = make({ model: 'asked' })
        await using filtered = new Listener(stage.control, {
          kinds: ALL,
          filter: { search: record.userKey!.toUpperCase(), ...filter },
        })
        // By then both listen: they are sent one after the other.
        await waitFor(async () => {
          await ingest(stage.control, { ...record, id: newId() })
          return filtered.events.length > 0
        })
        const before = filtered.events.length
        await report(stage.control, liveEvent('STARTED', record), liveEvent('FIRST_TOKEN', record))
        await ingest(stage.control, record)
        const mine = (one: Listener): string[] =>
          one.events.filter((event) => (event.record ?? event.inFlight)!.id === record.id).map(({ kind }) => kind)
        await waitFor(() => mine(filtered).includes('FINISHED') && mine(listener).includes('FINISHED'))
        assert.deepEqual(mine(filtered), expected)
        assert.deepEqual(mine(listener), ALL)
        assert.ok(before > 0)
      })
    }

    test("are a bound key's own project's alone", async () => {
      const ask = async (document: string, variables: object): Promise<any> =>
        (await stage.control.gql<any>(document, { ...variables })).it
      const projectOf = async (): Promise<string> =>
        (await ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })).id
      const [own, other] = [await projectOf(), await projectOf()]
      const { secret } = await ask(
        'mutation ($name: String!, $projects: [ID!]) { it: createAdminKey(name: $name, role: VIEWER, projects: $projects) { secret } }',
        { name: uniqueName('bound'), projects: [own] },
      )
      const { listener, make } = await listening(stage.control, { kinds: ALL })
      await using _ = listener
      const records = [other, null, own].map((projectId) => make({ projectId, model: projectId ?? 'nobody' }))
      const filter = { search: records[0]!.userKey! }
      await using bound = new Listener(stage.control, { kinds: ALL, filter }, secret)
      await waitFor(async () => {
        await ingest(stage.control, { ...records[2]!, id: newId() })
        return bound.events.length > 0
      })
      for (const record of records) await report(stage.control, liveEvent('STARTED', record))
      await ingest(stage.control, ...records)
      await waitFor(() => listener.events.some(({ record }) => record?.id === records[2]!.id))
      await waitFor(() => bound.events.some(({ record }) => record?.id === records[2]!.id))
      assert.deepEqual(new Set(bound.told), new Set([`STARTED ${own}`, `FINISHED ${own}`]))
    })

    test('are wanted as long as somebody asks for them', async () => {
      await using wanted = stage.control.subscribe<{ liveWanted: boolean }>(
        LIVE_WANTED_SUBSCRIPTION,
        {},
        stage.control.proxyKey,
      )
      const next = async (): Promise<boolean> => (await within(20_000, 'a change', wanted.next())).value!.liveWanted
      const first = await next()
      // Those of the tests before are forgotten soon.
      if (first) assert.equal(await next(), false)
      await using listener = new Listener(stage.control, { kinds: ['FIRST_TOKEN'] })
      assert.equal(await next(), true)
      await listener[Symbol.asyncDispose]()
      assert.equal(await next(), false)
    })
  })

  test('is told to each in its own words, though the answer is made once for those who ask alike', async () => {
    const { listener, make } = await listening(stage.control, {})
    await using _ = listener
    const userKey = make().userKey!
    const ask = (words: string): AsyncIterableIterator<any> & AsyncDisposable =>
      stage.control.subscribe<any>(
        `subscription ($search: String${words.includes('$is') ? ', $is: Boolean!' : ''}) { it: requestFeed(filter: { search: $search }) { ${words} } }`,
        { search: userKey, is: words.length % 2 === 0 },
      )
    const asked = [
      'record { model @include(if: $is) status }',
      'record { model @include(if: $is)  status }',
      'record { m: model }',
      'kind',
    ]
    await using stack = new AsyncDisposableStack()
    const told = asked.map((words) => {
      const events: any[] = []
      const subscription = stack.use(ask(words))
      void (async () => {
        for await (const { it } of subscription) events.push(it)
      })().catch(() => undefined)
      return events
    })
    await waitFor(async () => {
      await ingest(stage.control, make({ model: 'said' }))
      return told.every((events) => events.length > 0)
    })
    assert.deepEqual(
      told.map((events) => ({ ...(events[0].record ?? events[0]) })),
      [{ status: 'SUCCESS' }, { model: 'said', status: 'SUCCESS' }, { m: 'said' }, { kind: 'FINISHED' }],
    )
  })

  describe('after', () => {
    test('an event comes what came since, once, in its order, and then what comes', async () => {
      const { listener, make } = await listening(stage.control, { kinds: ALL })
      const filter = { search: make().userKey! }
      for (const model of ['a', 'b', 'c']) await ingest(stage.control, make({ model }))
      const seen = await listener.has(3)
      await listener[Symbol.asyncDispose]()
      const started = make({ model: 'e' })
      await ingest(stage.control, make({ model: 'd' }))
      await report(stage.control, liveEvent('STARTED', started))
      await ingest(stage.control, started)
      await using resumed = new Listener(stage.control, { kinds: ALL, filter, after: seen[1]!.id })
      await resumed.has(4)
      await ingest(stage.control, make({ model: 'f' }))
      await resumed.has(5)
      // Longer than it takes to be sure that nothing of other processes is missed: by then it listens.
      await sleep(3_000)
      await ingest(stage.control, make({ model: 'g' }))
      await resumed.has(6)
      assert.deepEqual(resumed.told, [
        'FINISHED c',
        'FINISHED d',
        'STARTED e',
        'FINISHED e',
        'FINISHED f',
        'FINISHED g',
      ])
      assert.equal(resumed.events[0]!.id, seen[2]!.id)
    })

    test('a restart, all records come that came since the event', async () => {
      const { listener, make } = await listening(stage.control, {})
      const filter = { search: make().userKey!, model: 'wanted' }
      const records = Array.from({ length: 250 }, (_, i) => make({ model: i % 2 ? 'wanted' : 'other' }))
      await ingest(stage.control, make({ model: 'wanted' }))
      const [{ id: after }] = (await listener.has(1)) as any
      await listener[Symbol.asyncDispose]()
      await stage.control.restart()
      await ingest(stage.control, ...records)
      await using resumed = new Listener(stage.control, { filter, after })
      const ids = (): Set<string> => new Set(resumed.events.map(({ id }) => id))
      const wanted = records.filter(({ model }) => model === 'wanted').map(({ id }) => id)
      const missing = (): string[] => wanted.filter((id) => !resumed.events.some(({ record }) => record!.id === id))
      await waitFor(() => missing().length === 0, { what: 'all records' })
      // Those of the last seconds before the restart may come again, by their ids.
      assert.equal(ids().size, resumed.events.length)
      assert.ok(resumed.told.every((one) => one === 'FINISHED wanted'))
    })

    const idOf = (time: number): string => `${time.toString(16).padStart(12, '0')}-2-${newId()}`
    for (const [what, after, reason] of [
      ['no id', () => 'x', /is not an id/],
      ['an id of the far future', () => idOf(Date.now() + 600_000), /is not an id/],
      ['an id of long ago', () => idOf(Date.now() - 660_000), /more than 10 minutes ago/],
    ] as const) {
      test(`${what}, it is refused`, async () => {
        await using listener = new Listener(stage.control, { after: after() })
        const { code, field, message } = await waitFor(() => listener.failure)
        assert.deepEqual([code, field], ['BAD_USER_INPUT', 'after'])
        assert.match(message, reason)
      })
    }
  })
})
