/** A subscriber that reads too slowly loses events, is told how many, and slows nobody. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { INGEST_RECORDS_MUTATION, MAX_INGEST_BATCH } from '@millrace/shared'
import { WebSocket } from 'ws'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { sample } from './sample.ts'

/**
 * Some 24 MB: more than the sockets' buffers hold; of few records, since who reads nothing for 12 seconds and does not answer
 * a ping for as long is let go.
 */
const BATCHES = 2
const TEXT = '\u4e00'.repeat(3_990)
/** Of configuration. */
const CHANGES = 24

let control: ControlProcess
before(async () => {
  control = await startControl()
})
after(() => control[Symbol.asyncDispose]())

/** @param first the number of the first record, in its user key */
const ingest = (model: string, count: number, first = 0): Promise<unknown> => {
  const records = Array.from({ length: count }, (_one, i) => sample({ model, userKey: `${first + i} ${TEXT}` }))
  return control.gql(INGEST_RECORDS_MUTATION, { records }, control.proxyKey)
}

/** A subscription on a socket that can be left unread. Its events are what stands under `it`. */
async function opened(query: string, key: string) {
  const socket = new WebSocket(`${control.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws')
  const events: any[] = []
  let acknowledged = false
  socket.on('message', (data: Buffer) => {
    const { type, payload } = JSON.parse(data.toString())
    if (type === 'connection_ack') acknowledged = true
    if (type === 'next') events.push(payload.data.it)
  })
  await new Promise((resolve) => socket.once('open', resolve))
  const send = (message: object): void => socket.send(JSON.stringify(message))
  send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } })
  await waitFor(() => acknowledged)
  send({ type: 'subscribe', id: '1', payload: { query } })
  return { socket, events, [Symbol.dispose]: () => socket.terminate() }
}

/** One that has been told something, and forgotten it. */
async function subscribed(query: string) {
  const subscriber = await opened(query, control.adminKey)
  await waitFor(async () => {
    await ingest(uniqueName('marker'), 1)
    return subscriber.events.length > 0
  })
  subscriber.events.length = 0
  return subscriber
}

for (const [feed, query] of [
  ['requestFeed', 'subscription { it: requestFeed { dropped record { model userKey } } }'],
  ['routeDecisionFeed', 'subscription { it: routeDecisionFeed { dropped model userKey } }'],
] as const) {
  test(`of ${feed}`, async () => {
    using slow = await subscribed(query)
    slow.socket.pause()
    const model = uniqueName('flood')
    for (let i = 0; i < BATCHES; i++) await ingest(model, MAX_INGEST_BATCH, i * MAX_INGEST_BATCH)
    slow.socket.resume()
    const sent = BATCHES * MAX_INGEST_BATCH
    const flood = (): any[] => slow.events.filter((event) => (event.record ?? event).model === model)
    const told = (): number => flood().length
    const lost = (): number => slow.events.reduce((sum, { dropped }) => sum + dropped, 0)
    await waitFor(() => told() + lost() >= sent, { what: 'all to be told or told of', timeoutMs: 30_000 })
    assert.equal(told() + lost(), sent)
    // What waits for it weighs 768 KB at most: some hundred of these.
    assert.ok(told() >= 50 && lost() > 0, `${told()} told, ${lost()} lost`)
    // Each loss is told once, by the event that comes after it, and as large as it was.
    let next = 0
    for (const event of flood()) {
      const number = Number.parseInt((event.record ?? event).userKey, 10)
      assert.deepEqual({ number, dropped: event.dropped }, { number: next + event.dropped, dropped: number - next })
      next = number + 1
    }
  })
}

test('of snapshots: it is told the newest once it reads, and nothing was queued for it', async () => {
  const provider = (await control.gql(documents.CREATE_PROVIDER, { input: { name: 'p', kind: 'SIMULATED' } })).it.id
  const routes = Array.from({ length: 100 }, () => ({ provider, providerModel: 'm'.repeat(200) }))
  for (let i = 0; i < 20; i++)
    await control.gql(documents.CREATE_ALIAS, { input: { name: uniqueName('alias'), routes } })
  const SNAPSHOTS = 'subscription { it: snapshots { revision document } }'
  using slow = await opened(SNAPSHOTS, control.proxyKey)
  using quick = await opened(SNAPSHOTS, control.proxyKey)
  for (const { events } of [slow, quick]) await waitFor(() => events.at(-1)?.document.last)
  const tells = (name: string) => (event: any) => event.document.providers.some((one: any) => one.name === name)
  slow.socket.pause()
  slow.events.length = 0
  // Each is some megabyte of routing: together more than the sockets' buffers hold.
  for (let i = 0; i < CHANGES; i++) {
    await control.gql(documents.UPDATE_PROVIDER, { id: provider, input: { name: `p${i}` } })
    await waitFor(() => quick.events.splice(0).some(tells(`p${i}`)), { what: 'who reads to be told of each' })
  }
  slow.socket.resume()
  await waitFor(() => slow.events.some(tells(`p${CHANGES - 1}`)), { what: 'it to be told the newest' })
  const leaps = slow.events.map(({ document }) => document.revision - document.since)
  assert.ok(Math.max(...leaps) >= CHANGES / 3, `it has been told of ${Math.max(...leaps)} revisions at once`)
})

test('a decision that is asked for has lost none', async () => {
  const model = uniqueName('listed')
  await ingest(model, 1)
  const { it } = await control.gql('{ it: routeDecisions(first: 1) { edges { node { model dropped } } } }')
  assert.deepEqual({ ...it.edges[0].node }, { model, dropped: null })
})
