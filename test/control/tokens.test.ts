/** What tokens and projects are held to, as an operator sets it and as proxies are told it, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DEFAULT_ACCESS, NO_LIMITS, windowEnd } from '@millrace/shared'

import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

/** Every field of each. */
const LIMITS = { requestsPerMinute: 60, tokensPerMinute: 10_000, maxConcurrent: 4 }
const ACCESS = {
  models: ['gpt-*', 'demo'],
  endpoints: ['/v1/chat/*'],
  methods: ['GET', 'POST'],
  origins: ['https://*.example.com', 'http://localhost:*', 'null'],
  ipRanges: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'],
  params: { 'response_format.type': ['json_*'], stream: ['false'] },
  requiredHeaders: ['x-team'],
  ownKeys: true,
}

await onEachDatabase((stage) => {
  const { ask, refused, provider, project, token, newestNumber, ...published } = operatorOf(stage)
  const { publishedToken, publishedProject, publishedProvider } = published
  const updateToken = (id: string, input: object): Promise<any> => ask(documents.UPDATE_TOKEN, { id, input })
  const updateProject = (id: string, input: object): Promise<any> => ask(documents.UPDATE_PROJECT, { id, input })
  const newestChanges = async (): Promise<any[]> => (await ask(documents.NEWEST_REVISION)).changes

  test('a token is held to nothing unless told', async () => {
    const { id: owner } = await project()
    const { token: made } = await token(owner)
    assert.deepEqual([made.limits, made.budget, made.access, made.maxRequests], [NO_LIMITS, null, DEFAULT_ACCESS, null])
    assert.deepEqual([made.requestCount, made.cacheHitCount, made.lastUsedAt, made.status], [0, 0, null, 'ACTIVE'])
    const { limits, budget, used, access, maxRequests, secrets } = await publishedToken(made.id)
    assert.deepEqual([limits, budget, used, access, maxRequests], [null, null, null, null, null])
    assert.deepEqual([secrets.length, secrets[0]!.prefix, secrets[0]!.until], [1, made.prefix, null])
  })

  test('what a token is held to is told, merged and cleared', async () => {
    const { id: owner } = await project()
    const given = {
      limits: LIMITS,
      budget: { limitUsd: '12.50', period: 'MONTH' },
      access: { ...ACCESS, requiredHeaders: ['X-Team'] },
      maxRequests: 100,
    }
    const { token: made } = await token(owner, given)
    assert.deepEqual([made.limits, made.access, made.maxRequests], [LIMITS, ACCESS, 100])
    const { resetsAt, ...budget } = made.budget
    assert.deepEqual(budget, { limitUsd: '12.5', period: 'MONTH', spentUsd: '0' })
    assert.ok(
      Date.parse(resetsAt) >= windowEnd('MONTH', Date.now() - 60_000)! && resetsAt.endsWith('-01T00:00:00.000Z'),
    )
    const told = await publishedToken(made.id)
    assert.deepEqual([told.limits, told.access, told.maxRequests], [LIMITS, ACCESS, 100])
    assert.deepEqual(told.budget, { limitUsd: '12.5', period: 'MONTH' })

    const number = await newestNumber()
    assert.deepEqual(await updateToken(made.id, given), made)
    assert.deepEqual(await updateToken(made.id, { limits: {}, access: { params: {} } }), made)
    assert.equal(await newestNumber(), number, 'what changes nothing makes no revision')

    const merged = await updateToken(made.id, {
      limits: { requestsPerMinute: 61, maxConcurrent: null },
      budget: { limitUsd: '0', period: 'TOTAL' },
      access: { models: null, methods: ['PUT'], params: { stream: null, n: ['1'] }, ownKeys: null },
    })
    assert.deepEqual(merged.limits, { requestsPerMinute: 61, tokensPerMinute: 10_000, maxConcurrent: null })
    assert.deepEqual(merged.budget, { limitUsd: '0', period: 'TOTAL', spentUsd: '0', resetsAt: null })
    const access = {
      ...ACCESS,
      models: null,
      methods: ['PUT'],
      params: { 'response_format.type': ['json_*'], n: ['1'] },
      ownKeys: false,
    }
    assert.deepEqual([merged.access, merged.maxRequests], [access, 100])
    assert.deepEqual((await publishedToken(made.id)).access, access)
    assert.deepEqual(
      new Set((await newestChanges()).map(({ path, before, after }) => [path, before, after])),
      new Set([
        ['limits.requestsPerMinute', 60, 61],
        ['limits.maxConcurrent', 4, null],
        ['budget.limitUsd', '12.5', '0'],
        ['budget.period', 'MONTH', 'TOTAL'],
        ['access.models', ACCESS.models, null],
        ['access.methods', ACCESS.methods, ['PUT']],
        ['access.params', ACCESS.params, access.params],
        ['access.ownKeys', true, null],
      ]),
    )

    const emptied = await updateToken(made.id, { access: { params: { 'response_format.type': null, n: null } } })
    assert.equal(emptied.access.params, null)
    const cleared = await updateToken(made.id, { limits: null, budget: null, access: null, maxRequests: null })
    assert.deepEqual(
      [cleared.limits, cleared.budget, cleared.access, cleared.maxRequests],
      [NO_LIMITS, null, DEFAULT_ACCESS, null],
    )
    const { limits, budget: none, access: open } = await publishedToken(made.id)
    assert.deepEqual([limits, none, open], [null, null, null])
  })

  test('a project has a budget and limits above its tokens', async () => {
    const made = await project({ limits: { maxConcurrent: 9 }, budget: { limitUsd: '3', period: 'DAY' } })
    assert.deepEqual(made.limits, { ...NO_LIMITS, maxConcurrent: 9 })
    assert.deepEqual([made.budget.limitUsd, made.budget.spentUsd, made.budget.period], ['3', '0', 'DAY'])
    assert.match(made.budget.resetsAt, /T00:00:00\.000Z$/)
    const told = await publishedProject(made.id)
    assert.deepEqual([told.limits, told.budget], [made.limits, { limitUsd: '3', period: 'DAY' }])

    const kept = await updateProject(made.id, { limits: { requestsPerMinute: 5 } })
    assert.deepEqual([kept.limits, kept.budget], [{ ...made.limits, requestsPerMinute: 5 }, made.budget])
    const cleared = await updateProject(made.id, {
      limits: { maxConcurrent: null, requestsPerMinute: null },
      budget: null,
    })
    assert.deepEqual([cleared.limits, cleared.budget], [NO_LIMITS, null])
    const { limits, budget } = await publishedProject(made.id)
    assert.deepEqual([limits, budget], [null, null])
  })

  test("null takes back a project's deactivation, but no name", async () => {
    const { id } = await project()
    const off = await updateProject(id, { active: false })
    assert.ok(!off.active && off.deactivatedAt)
    const again = await updateProject(id, { active: false })
    assert.equal(again.deactivatedAt, off.deactivatedAt)
    const on = await updateProject(id, { active: null })
    assert.deepEqual([on.active, on.deactivatedAt], [true, null])
    await refused('BAD_USER_INPUT', 'input.name', documents.UPDATE_PROJECT, { id, input: { name: null } })
  })

  test('a provider has an access of its own', async () => {
    const made = await provider({ access: { models: ['gpt-*'], params: { n: ['1'] } } })
    assert.deepEqual(made.access, { ...DEFAULT_ACCESS, models: ['gpt-*'], params: { n: ['1'] } })
    assert.deepEqual((await publishedProvider(made.id)).access, made.access)
    const changed = await ask(documents.UPDATE_PROVIDER, { id: made.id, input: { access: { models: null } } })
    assert.deepEqual(changed.access, { ...DEFAULT_ACCESS, params: { n: ['1'] } })
    const open = await ask(documents.UPDATE_PROVIDER, { id: made.id, input: { access: null } })
    assert.deepEqual(open.access, DEFAULT_ACCESS)
    assert.equal((await publishedProvider(made.id)).access, null)
    assert.equal((await publishedProvider((await provider()).id)).access, null)
  })
})
