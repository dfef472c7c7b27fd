/** How providers may be asked, as an operator sets it and as proxies are told it, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DEFAULT_BREAKER } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { newestSnapshot } from './snapshots.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const { ask, refused, provider, newestNumber, publishedProvider } = operatorOf(stage)
  test("a provider's breaker, concurrency and directness are merged, cleared, and told to proxies", async () => {
    const plain = await provider()
    assert.deepEqual([plain.direct, plain.maxConcurrency, plain.breaker], [false, null, DEFAULT_BREAKER])
    const made = await provider({ direct: true, maxConcurrency: 7, breaker: { errorRate: 0.25, openSeconds: 1 } })
    assert.deepEqual(made.breaker, { ...DEFAULT_BREAKER, errorRate: 0.25, openSeconds: 1 })
    const told = await publishedProvider(made.id)
    assert.deepEqual(
      [told.direct, told.maxConcurrency, told.breaker, told.forcedBreaker, told.breakerSetAt],
      [true, 7, made.breaker, null, null],
    )
    const input = { breaker: { openSeconds: null, consecutiveFailures: 3 }, maxConcurrency: null }
    const changed = await ask(documents.UPDATE_PROVIDER, { id: made.id, input })
    const breaker = { ...DEFAULT_BREAKER, errorRate: 0.25, consecutiveFailures: 3 }
    assert.deepEqual(changed, { ...made, maxConcurrency: null, breaker })
    const cleared = await ask(documents.UPDATE_PROVIDER, { id: made.id, input: { breaker: null, direct: false } })
    assert.deepEqual(cleared, { ...made, direct: false, maxConcurrency: null, breaker: DEFAULT_BREAKER })
  })

  for (const [input, field] of [
    [{ maxConcurrency: 0 }, 'input.maxConcurrency'],
    [{ breaker: { errorRate: 1.1 } }, 'input.breaker.errorRate'],
    [{ breaker: { minRequests: 0 } }, 'input.breaker.minRequests'],
    [{ breaker: { windowSeconds: 3_601 } }, 'input.breaker.windowSeconds'],
    [{ breaker: { maxOpenSeconds: 0 } }, 'input.breaker.maxOpenSeconds'],
  ] as const) {
    test(`input is refused: ${JSON.stringify(input)}`, async () => {
      const whole = { name: uniqueName('bad'), kind: 'SIMULATED', ...input }
      await refused('BAD_USER_INPUT', field, documents.CREATE_PROVIDER, { input: whole })
      const { id } = await provider()
      await refused('BAD_USER_INPUT', field, documents.UPDATE_PROVIDER, { id, input })
    })
  }

  test('null takes back what was set', async () => {
    const { id } = await provider({ direct: true, enabled: false, settings: { errorRate: 1 } })
    const input = { direct: null, enabled: null, settings: null }
    const { direct, enabled, settings } = await ask(documents.UPDATE_PROVIDER, { id, input })
    assert.deepEqual([direct, enabled, settings], [false, true, {}])
    await refused('BAD_USER_INPUT', 'input.name', documents.UPDATE_PROVIDER, { id, input: { name: null } })
  })

  test('a breaker opens for no longer than the longest', async () => {
    const update = (id: string, breaker: object) => [documents.UPDATE_PROVIDER, { id, input: { breaker } }] as const
    const { id } = await provider({ breaker: { openSeconds: 60 } })
    for (const [breaker, field, reason] of [
      [{ openSeconds: 61 }, 'openSeconds', 'must not be above maxOpenSeconds, which is 60'],
      [{ maxOpenSeconds: 59 }, 'maxOpenSeconds', 'must not be below openSeconds, which is 60'],
      [{ openSeconds: 9, maxOpenSeconds: 8 }, 'openSeconds', 'must not be above maxOpenSeconds, which is 8'],
    ] as const) {
      const said = await refused('BAD_USER_INPUT', `input.breaker.${field}`, ...update(id, breaker))
      assert.ok(said.endsWith(reason), said)
    }
    const made = await ask(...update(id, { openSeconds: 100, maxOpenSeconds: 100 }))
    assert.deepEqual([made.breaker.openSeconds, made.breaker.maxOpenSeconds], [100, 100])
    await refused('BAD_USER_INPUT', 'input.breaker.maxOpenSeconds', ...update(id, { maxOpenSeconds: null }))
    await ask(...update(id, { openSeconds: null, maxOpenSeconds: null }))
  })

  for (const [settings, field, range] of [
    [{ outputTokens: 0 }, 'outputTokens', 'a whole number from 1 to 100000'],
    [{ errorRate: '1' }, 'errorRate', 'a number from 0 to 1'],
    [{ reply: 7 }, 'reply', 'a text'],
    [{ errorKind: 'boring' }, 'errorKind', 'one of bad_request, unauthorized, '],
  ] as const) {
    test(`what the setting ${field} may be is said`, async () => {
      const input = { name: uniqueName('bad'), kind: 'SIMULATED', settings }
      const said = await refused('BAD_USER_INPUT', `input.settings.${field}`, documents.CREATE_PROVIDER, { input })
      assert.ok(said.includes(`must be ${range}`), said)
    })
  }

  test('its breaker is forced, and handed back, as a change of configuration', async () => {
    const { id, name } = await provider()
    const set = async (state: string): Promise<[forced: string | null, at: number]> => {
      await ask(documents.SET_BREAKER, { provider: id, state })
      const { forcedBreaker, breakerSetAt } = await publishedProvider(id)
      return [forcedBreaker, Date.parse(breakerSetAt!)]
    }
    const [forced, at] = await set('FORCED_OPEN')
    assert.equal(forced, 'FORCED_OPEN')
    assert.ok(Math.abs(Date.now() - at) < 60_000)
    const number = await newestNumber()
    assert.deepEqual(await set('FORCED_OPEN'), [forced, at], 'once is enough')
    assert.equal(await newestNumber(), number)
    const [event] = (await ask(documents.AUDIT)).edges
    assert.deepEqual([event.node.action, event.node.subject], ['setBreaker', `provider ${name}`])
    assert.equal((await set('FORCED_CLOSED'))[0], 'FORCED_CLOSED')
    const [none, handedBack] = await set('CLOSED')
    assert.equal(none, null)
    const [, again] = await set('CLOSED')
    assert.ok(again >= handedBack, 'it begins anew each time')
    assert.equal(await newestNumber(), number + 3)
    for (const state of ['OPEN', 'HALF_OPEN'])
      await refused('BAD_USER_INPUT', 'state', documents.SET_BREAKER, { provider: id, state })
    const nobody = { provider: '00000000-0000-7000-8000-000000000000', state: 'CLOSED' }
    await refused('NOT_FOUND', 'provider', documents.SET_BREAKER, nobody)
  })

  test("a token's clients bring keys of their own only where it says so", async () => {
    const [{ id: project }] = await ask(documents.PROJECTS)
    const told = async (id: string) => (await newestSnapshot(stage.control)).tokens.find((one) => one.id === id)!
    const create = async (more: object): Promise<any> =>
      (await ask(documents.CREATE_TOKEN, { input: { name: uniqueName('token'), project, ...more } })).token
    const plain = await create({})
    assert.equal(plain.access.ownKeys, false)
    const made = await create({ access: { ownKeys: true } })
    assert.equal(made.access.ownKeys, true)
    const { name, access } = await told(made.id)
    assert.deepEqual([name, access?.ownKeys], [made.name, true])
    const update = (input: object): Promise<any> => ask(documents.UPDATE_TOKEN, { id: made.id, input })
    assert.equal((await update({ name: uniqueName('renamed'), access: {} })).access.ownKeys, true)
    assert.equal((await update({ access: { ownKeys: null } })).access.ownKeys, false)
    await update({ access: { ownKeys: true } })
    assert.equal((await update({ access: null })).access.ownKeys, false)
    assert.equal((await told(made.id)).access, null)
    await refused('BAD_USER_INPUT', 'input.access.ownKeys', documents.UPDATE_TOKEN, {
      id: made.id,
      input: { access: { ownKeys: 'yes' } },
    })
  })
})
