/** What tokens, projects and providers are not to be held to, and what is said of it, on each database. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'

import { newId } from '@millrace/shared'

import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

type Bad = readonly [part: object, field: string, reason?: RegExp]

const LIMITS: readonly Bad[] = [
  [{ limits: { requestsPerMinute: -1 } }, 'limits.requestsPerMinute', /a whole number from 1 to 2147483647$/],
  [{ limits: { requestsPerMinute: 0 } }, 'limits.requestsPerMinute'],
  [{ limits: { tokensPerMinute: -5 } }, 'limits.tokensPerMinute'],
  [{ limits: { maxConcurrent: 0 } }, 'limits.maxConcurrent'],
  [{ limits: { maxConcurrent: 1.5 } }, 'limits.maxConcurrent'],
  [{ limits: { tokensPerMinute: 2 ** 31 } }, 'limits.tokensPerMinute'],
  [{ limits: { requestsPerMinute: '60' } }, 'limits.requestsPerMinute'],
  [{ limits: { requestsPerHour: 1 } }, 'limits.requestsPerHour'],
]
const BUDGETS: readonly Bad[] = [
  [{ budget: { limitUsd: '0.0000000000001', period: 'DAY' } }, 'budget.limitUsd', /at most 12 decimals$/],
  [{ budget: { limitUsd: '-1', period: 'DAY' } }, 'budget.limitUsd', /0 or more/],
  [{ budget: { limitUsd: 1e20, period: 'DAY' } }, 'budget.limitUsd', /at most 1000000000$/],
  [{ budget: { limitUsd: '1e20', period: 'DAY' } }, 'budget.limitUsd'],
  [{ budget: { limitUsd: 'Infinity', period: 'DAY' } }, 'budget.limitUsd'],
  [{ budget: { limitUsd: '1000000000.01', period: 'TOTAL' } }, 'budget.limitUsd'],
  [{ budget: { limitUsd: null, period: 'DAY' } }, 'budget.limitUsd'],
  [{ budget: { limitUsd: '1', period: 'WEEK' } }, 'budget.period', /DAY, MONTH, TOTAL$/],
  [{ budget: { limitUsd: '1' } }, 'budget.period', /is required$/],
  [{ budget: { period: 'DAY' } }, 'budget.limitUsd', /is required$/],
]
const many = (count: number, prefix = 'model-'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const ACCESS: readonly Bad[] = [
  [{ access: { models: many(10_000) } }, 'access.models', /at most 1000 entries$/],
  [{ access: { models: [] } }, 'access.models', /null allows everything$/],
  [{ access: { models: ['(a+)+$'] } }, 'access.models.0', /only \* is special/],
  [{ access: { models: [...many(17), 'a|b', 'c'] } }, 'access.models.17'],
  [{ access: { models: ['ok', '*'.repeat(20)] } }, 'access.models.1', /at most 8 \*$/],
  [{ access: { models: ['x'.repeat(201)] } }, 'access.models.0', /at most 200 characters$/],
  [{ access: { models: [''] } }, 'access.models.0', /must not be empty$/],
  [{ access: { models: ['a', null] } }, 'access.models.1'],
  [{ access: { models: ['a\u0000b'] } }, 'access.models.0'],
  [{ access: { endpoints: ['/v1/*', 'chat'] } }, 'access.endpoints.1', /begin with \/ or \*$/],
  [{ access: { methods: ['POST', 'get'] } }, 'access.methods.1', /in capitals$/],
  [{ access: { ipRanges: ['10.0.0.0/8', '10.0.0.0/33'] } }, 'access.ipRanges.1', /CIDR/],
  [{ access: { ipRanges: ['10.0.0/8'] } }, 'access.ipRanges.0'],
  [{ access: { ipRanges: ['::1/129'] } }, 'access.ipRanges.0'],
  [{ access: { ipRanges: ['10.0.0.0/8/8'] } }, 'access.ipRanges.0'],
  [{ access: { ipRanges: ['localhost'] } }, 'access.ipRanges.0'],
  [{ access: { origins: ['not an origin'] } }, 'access.origins.0', /must be an origin/],
  [{ access: { origins: ['https://app.example.com', 'https://app.example.com/'] } }, 'access.origins.1'],
  [{ access: { origins: ['app.example.com'] } }, 'access.origins.0'],
  [{ access: { origins: ['javascript:alert(1)'] } }, 'access.origins.0'],
  [{ access: { params: ['temperature'] } }, 'access.params', /must be a JSON object$/],
  [{ access: { params: 'temperature' } }, 'access.params'],
  [{ access: { params: { temperature: '1' } } }, 'access.params.temperature', /must be a list$/],
  [{ access: { params: { temperature: ['1', 2] } } }, 'access.params.temperature.1', /must be a text$/],
  [{ access: { params: { '': ['1'] } } }, 'access.params', /names of 1 to 200/],
  [{ access: { params: { 'a\u0000': ['1'] } } }, 'access.params', /NUL/],
  [JSON.parse('{ "access": { "params": { "__proto__": ["1"] } } }'), 'access.params', /must not have __proto__/],
  [{ access: { params: Object.fromEntries(many(101).map((name) => [name, ['1']])) } }, 'access.params', /at most 100/],
  [{ access: { requiredHeaders: ['x-a', 'x b'] } }, 'access.requiredHeaders.1', /name of a header$/],
  [
    { access: { models: many(1_000, 'm'.repeat(190)), endpoints: many(1_000, `/${'e'.repeat(190)}`) } },
    'access',
    /bytes$/,
  ],
  [{ access: { regions: ['eu'] } }, 'access.regions'],
  [{ access: { ownKeys: 'yes' } }, 'access.ownKeys'],
]
const TOKENS: readonly Bad[] = [
  [{ maxRequests: 0 }, 'maxRequests', /a whole number from 1/],
  [{ maxRequests: -1 }, 'maxRequests'],
  [{ maxRequests: 2 ** 31 }, 'maxRequests'],
  [{ maxRequests: 1.5 }, 'maxRequests'],
  [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt', /in the future$/],
  [{ expiresAt: 'soon' }, 'expiresAt'],
  [{ name: ' ' }, 'name'],
  [{ metadata: [1] }, 'metadata'],
  [JSON.parse('{ "metadata": { "a": [{ "__proto__": { "b": 1 } }] } }'), 'metadata', /must not have __proto__/],
]

await onEachDatabase((stage) => {
  const { ask, refused, provider, project, token, newestNumber } = operatorOf(stage)
  let ids: { readonly project: string; readonly token: string; readonly provider: string }

  before(async () => {
    const { id } = await project()
    ids = { project: id, token: (await token(id)).token.id, provider: (await provider()).id }
  })

  for (const [kind, bad] of [
    ['token', [...TOKENS, ...LIMITS, ...BUDGETS, ...ACCESS]],
    ['project', [...LIMITS, ...BUDGETS]],
    ['provider', ACCESS],
  ] as const) {
    describe(`a ${kind} is not to be`, () => {
      const all = async (): Promise<unknown> =>
        kind === 'token'
          ? ask(documents.TOKENS, { first: 500 })
          : ask(kind === 'project' ? documents.PROJECTS : documents.PROVIDERS)
      for (const [part, field, reason] of bad) {
        test(JSON.stringify(part).slice(0, 70), async () => {
          const [stored, number] = [await all(), await newestNumber()]
          const names = { token: { name: 't', project: ids.project }, project: { name: 'p' } }
          const base = kind === 'provider' ? { name: 'p', kind: 'SIMULATED' } : names[kind]
          const create = { token: documents.CREATE_TOKEN, project: documents.CREATE_PROJECT }
          const update = { token: documents.UPDATE_TOKEN, project: documents.UPDATE_PROJECT }
          const [made, changed] =
            kind === 'provider' ? [documents.CREATE_PROVIDER, documents.UPDATE_PROVIDER] : [create[kind], update[kind]]
          const path = `input.${field}`
          const said = await refused('BAD_USER_INPUT', path, made, { input: { ...base, ...part } })
          if (reason) assert.match(said, reason)
          await refused('BAD_USER_INPUT', path, changed, { id: ids[kind], input: part })
          assert.deepEqual([await all(), await newestNumber()], [stored, number], 'nothing stored')
        })
      }
    })
  }

  test('a token is of a project that there is', async () => {
    const number = await newestNumber()
    for (const id of [newId(), 'default', ''])
      await refused('NOT_FOUND', 'input.project', documents.CREATE_TOKEN, { input: { name: 't', project: id } })
    for (const [document, field] of [
      [documents.UPDATE_TOKEN, undefined],
      [documents.ROTATE_TOKEN, undefined],
      [documents.REVOKE_TOKEN, undefined],
    ] as const)
      await refused('NOT_FOUND', field, document, { id: newId(), input: { name: 'n' } })
    await refused('NOT_FOUND', 'project', documents.REVOKE_PROJECT_TOKENS, { project: newId() })
    assert.equal(await newestNumber(), number)
  })

  test('a replaced secret lives for 30 days at most', async () => {
    const number = await newestNumber()
    for (const graceSeconds of [-1, 30 * 86_400 + 1, 1.5])
      await refused('BAD_USER_INPUT', 'graceSeconds', documents.ROTATE_TOKEN, { id: ids.token, graceSeconds })
    assert.equal(await newestNumber(), number)
  })

  test('a merge that goes too far is refused as a whole', async () => {
    const { token: made } = await token(ids.project, { access: { params: { a: ['1'] } } })
    const params = Object.fromEntries(many(100).map((name) => [name, ['1']]))
    const input = { name: 'another', access: { params } }
    await refused('BAD_USER_INPUT', 'input.access.params', documents.UPDATE_TOKEN, { id: made.id, input })
    assert.deepEqual(await ask(documents.TOKEN_BY_ID, { id: made.id }), made)
  })
})
