/** What Prometheus is told of requests: it agrees with their records, is bounded, and never goes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newId, type RequestRecord, type Snapshot } from '@millrace/shared'

import { open, send, type Answer } from '../helpers/http.ts'
import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { metric } from './workers/crew.ts'

const PATH = '/v1/chat/completions'

/** The configuration with these aliases in place of its own, each a route to the one provider. */
function withAliases({ configuration }: LoneProxy, revision: number, names: readonly string[]): Snapshot {
  const snapshot = configuration.at(revision)
  const [alias] = snapshot.aliases
  const [route] = alias!.routes
  return {
    ...snapshot,
    aliases: names.map((name) => ({
      ...alias!,
      id: newId(),
      name,
      retry: { ...alias!.retry, initialBackoffMs: 1 },
      routes: [{ ...route!, id: newId(), providerModel: `model-of-${name}`, inputPrice: 0.3, outputPrice: 1.7 }],
    })),
  }
}

const requestFor = ({ configuration }: LoneProxy, model: string, more: object) => ({
  headers: { authorization: `Bearer ${configuration.token}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Say hello.' }], ...more }),
})

function ask(lone: LoneProxy, model: string, more: object = {}, path = PATH): Promise<Answer> {
  return send(`${lone.proxy.url}${path}`, requestFor(lone, model, more))
}

async function serve(lone: LoneProxy, snapshot: Snapshot): Promise<void> {
  lone.control.publish(snapshot)
  const served = async (): Promise<boolean> =>
    (await metric(lone.proxy, 'millrace_config_revision')).get('') === snapshot.revision
  await waitFor(served, { what: `revision ${snapshot.revision}`, timeoutMs: 60_000 })
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)
const total = async (lone: LoneProxy, name: string): Promise<number> => sum((await metric(lone.proxy, name)).values())

/** Sums of a metric's values, by these of its labels. */
async function byLabels(lone: LoneProxy, name: string, ...labels: readonly string[]): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const [text, value] of await metric(lone.proxy, name)) {
    const key = labels.map((label) => new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(text)?.[1]).join(' ')
    sums[key] = (sums[key] ?? 0) + value
  }
  return sums
}

function sumsOf<K extends string>(
  records: readonly RequestRecord[],
  entries: (record: RequestRecord) => readonly (readonly [K, number])[],
): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [key, value] of records.flatMap(entries)) if (value > 0) sums[key] = (sums[key] ?? 0) + value
  return sums
}

function assertClose(one: Record<string, number>, other: Record<string, number>): void {
  assert.deepEqual(Object.keys(one).sort(), Object.keys(other).sort())
  for (const key in one) assert.ok(Math.abs(one[key]! - other[key]!) < 1e-9, `${key}: ${one[key]}, not ${other[key]}`)
}

for (const workers of [1, 2]) {
  test(`what is counted of requests is what their records say, of ${workers}`, async () => {
    await using lone = await startLoneProxy({ env: { MILLRACE_WORKERS: String(workers) } })
    const { upstream, proxy, control } = lone
    const snapshot = withAliases(lone, 1, ['good', 'bad', 'broken', 'od"d\\\\name'])
    await serve(lone, { ...snapshot, providers: snapshot.providers.map((one) => ({ ...one, direct: true })) })
    upstream.on('model-of-bad', behaviours.serverError())
    upstream.on('model-of-broken', behaviours.errorEventLater())
    const asked = [
      ...Array.from({ length: 20 }, (_, i) => ask(lone, 'good', { stream: i % 2 === 0 })),
      ask(lone, 'bad'),
      ask(lone, 'broken', { stream: true }),
      ask(lone, 'od"d\\\\name'),
      ...Array.from({ length: 10 }, (_, i) => ask(lone, `made-up-${i}`)),
      ...Array.from({ length: 5 }, (_, i) => ask(lone, `own-provider/made-up-${i}`)),
      ...Array.from({ length: 300 }, (_, i) => ask(lone, 'good', {}, `/v1/made/up/${i}`)),
      send(`${proxy.url}${PATH}`, { headers: { authorization: 'Bearer sk-mr-none' }, body: '{}' }),
    ]
    await Promise.all(asked)
    await waitFor(() => control.records.length === asked.length, { what: 'all records', timeoutMs: 30_000 })
    const { records } = control

    assert.deepEqual(await byLabels(lone, 'millrace_requests_total', 'endpoint', 'alias', 'provider', 'status'), {
      [`${PATH} good own-provider 200`]: 20,
      [`${PATH} bad own-provider 502`]: 1,
      // Its head had gone to the client.
      [`${PATH} broken own-provider 502`]: 1,
      [`${PATH} od\\ own-provider 200`]: 1,
      [`${PATH}   404`]: 10,
      [`${PATH}  own-provider 200`]: 5,
      [`${PATH}   401`]: 1,
      'other   404': 300,
    })
    const of = (name: string): Promise<Record<string, number>> => byLabels(lone, name, 'provider')
    assert.equal(await total(lone, 'millrace_request_duration_seconds_count'), asked.length)
    assert.equal(await total(lone, 'millrace_overhead_seconds_count'), asked.length)
    assert.deepEqual(await of('millrace_time_to_first_token_seconds_count'), { 'own-provider': 11 })
    assert.deepEqual(
      await byLabels(lone, 'millrace_attempts_total', 'provider', 'outcome'),
      sumsOf(records, ({ attempts }) => attempts.map((one) => [`own-provider ${one.errorClass ?? 'success'}`, 1])),
    )
    assert.deepEqual(
      await byLabels(lone, 'millrace_tokens_total', 'direction'),
      sumsOf(records, ({ usage }) => [
        ['input', usage.inputTokens],
        ['output', usage.outputTokens],
      ]),
    )
    assertClose(
      await of('millrace_cost_usd_total'),
      sumsOf(records, ({ costUsd }) => [['own-provider', Number(costUsd)]]),
    )
    const seconds = sum(records.map(({ latencyMs }) => latencyMs)) / 1_000
    assert.ok(Math.abs((await total(lone, 'millrace_request_duration_seconds_sum')) - seconds) < 0.01)
    const buckets = await metric(proxy, 'millrace_request_duration_seconds_bucket')
    const ofOne = [...buckets].filter(([labels]) => labels.includes('alias="good"')).map(([, value]) => value)
    assert.ok(ofOne.length > 10 && ofOne.every((value, i) => i === 0 || value >= ofOne[i - 1]!), ofOne.join())
    assert.equal(ofOne.at(-1), 20)
  })
}

test('what is shared, given again, hedged, or ended by its client is counted once, for who pays', async () => {
  await using lone = await startLoneProxy()
  const snapshot = withAliases(lone, 1, ['shared', 'hedged', 'left'])
  const aliases = snapshot.aliases.map((alias) => {
    if (alias.name === 'shared') return { ...alias, cache: { ...alias.cache, enabled: true, coalesce: true } }
    if (alias.name === 'left') return alias
    const [route] = alias.routes
    const second = { ...route!, id: newId(), providerModel: 'model-of-second', priority: 1 }
    return { ...alias, hedge: { afterMs: 50, maxExtraPercent: 100 }, routes: [route!, second] }
  })
  await serve(lone, { ...snapshot, aliases })
  const { upstream, control } = lone
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  upstream.on('model-of-shared', behaviours.onceReleased(released, behaviours.answer()))
  upstream.on('model-of-hedged', behaviours.stall('before-headers'))
  upstream.on('model-of-left', behaviours.stall('mid-body'))

  const sharing = Array.from({ length: 4 }, () => ask(lone, 'shared', { stream: true }))
  const coalesced = async (): Promise<boolean> =>
    (await byLabels(lone, 'millrace_cache_total', 'outcome'))['COALESCED'] === 3
  await waitFor(coalesced, { what: 'all to wait for one answer' })
  release()
  await Promise.all(sharing)
  for (let i = 0; i < 3; i++) assert.equal((await ask(lone, 'shared', { stream: i > 0 })).headers['x-cache'], 'HIT')
  await ask(lone, 'hedged')
  const leaving = await open(`${lone.proxy.url}${PATH}`, requestFor(lone, 'left', { stream: true }))
  await leaving.until('data:')
  leaving.abort()
  await waitFor(() => control.records.length === 9, { what: 'all records', timeoutMs: 30_000 })
  const { records } = control

  assert.deepEqual(await byLabels(lone, 'millrace_requests_total', 'alias', 'provider', 'status'), {
    'shared own-provider 200': 7,
    'hedged own-provider 200': 1,
    'left own-provider 499': 1,
  })
  assert.deepEqual(await byLabels(lone, 'millrace_time_to_first_token_seconds_count', 'alias'), { shared: 6, left: 1 })
  assert.deepEqual(await byLabels(lone, 'millrace_attempts_total', 'outcome'), {
    success: 2,
    hedge_lost: 1,
    client_cancelled: 1,
  })
  const billed = records.filter((record) => record.billed)
  assert.equal(billed.length, 3)
  assert.deepEqual(
    await byLabels(lone, 'millrace_tokens_total', 'direction'),
    sumsOf(billed, ({ usage }) => [
      ['input', usage.inputTokens],
      ['output', usage.outputTokens],
    ]),
  )
  assertClose(
    await byLabels(lone, 'millrace_cost_usd_total', 'provider'),
    sumsOf(billed, ({ costUsd }) => [['own-provider', Number(costUsd)]]),
  )
})

test('of more aliases than have room, nothing is lost, and nothing goes back when all are gone', async () => {
  await using lone = await startLoneProxy()
  const names = Array.from({ length: 700 }, (_, i) => `alias-${i}`)
  await serve(lone, withAliases(lone, 1, names))
  for (let i = 0; i < names.length; i += 50) {
    const answers = await Promise.all(names.slice(i, i + 50).map((name) => ask(lone, name)))
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  }
  const counted = (): Promise<number> => total(lone, 'millrace_requests_total')
  await waitFor(async () => (await counted()) === names.length, { what: 'all to be counted' })
  const before = await byLabels(lone, 'millrace_requests_total', 'alias', 'provider')
  assert.equal(before['other own-provider'], 400)
  assert.equal(Object.keys(before).length, 301)

  await serve(lone, withAliases(lone, 2, ['renamed']))
  await ask(lone, 'renamed')
  await waitFor(async () => (await counted()) === names.length + 1)
  const after = await byLabels(lone, 'millrace_requests_total', 'alias', 'provider')
  assert.deepEqual(after, { ...before, 'other own-provider': 401 })
})
