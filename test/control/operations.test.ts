/** What is refused, and how: on the field at fault, and without telling what was sent. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { newId, REPORT_PROXY_MUTATION } from '@millrace/shared'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/gateway.ts'
import type { GraphqlError } from '../helpers/graphql.ts'
import * as documents from './documents.ts'

const SECRET = 'sk-very; secret at "input.name"; Int'

let control: ControlProcess
before(async () => {
  control = await startControl()
})
after(() => control[Symbol.asyncDispose]())

const ask = async (document: string, variables = {}): Promise<any> => (await control.gql(document, variables)).it
const refused = async (code: string, field: string, document: string, variables = {}, key?: string): Promise<void> => {
  const error: GraphqlError = await control.gql(document, variables, key).then(
    () => assert.fail(`was not refused: ${JSON.stringify(variables).slice(0, 200)}`),
    (thrown: unknown) => thrown as GraphqlError,
  )
  assert.deepEqual([error.code, error.field], [code, field], error.message)
  assert.doesNotMatch(error.message, /secret/, 'a message tells no value')
}
const deep = (levels: number): object => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as object

describe('a variable that does not fit', () => {
  const provider = { name: 'p', kind: 'SIMULATED' }
  const alias = { name: 'a', routes: [] as unknown[] }
  for (const [document, variables, field] of [
    [
      documents.CREATE_ALIAS,
      { input: { ...alias, routes: [{ provider: 'x', weight: SECRET }] } },
      'input.routes.0.weight',
    ],
    [documents.CREATE_ALIAS, { input: { ...alias, routes: { provider: 'x', weight: SECRET } } }, 'input.routes.weight'],
    [documents.CREATE_ALIAS, { input: { ...alias, routes: [SECRET] } }, 'input.routes.0'],
    [documents.CREATE_ALIAS, { input: { ...alias, routes: [{ weight: 1 }] } }, 'input.routes.0.provider'],
    [documents.CREATE_ALIAS, { input: { ...alias, enabled: SECRET } }, 'input.enabled'],
    [documents.CREATE_PROVIDER, { input: { ...provider, kind: SECRET } }, 'input.kind'],
    [documents.CREATE_PROVIDER, { input: { ...provider, apiKey: SECRET } }, 'input.apiKey'],
    [documents.CREATE_PROVIDER, { input: { ...provider, apiKeys: [{ key: SECRET }] } }, 'input.apiKeys.0'],
    [documents.CREATE_PROVIDER, { input: { ...provider, apiKeys: [null] } }, 'input.apiKeys.0'],
    [documents.CREATE_PROVIDER, { input: SECRET }, 'input'],
    [documents.CREATE_PROVIDER, {}, 'input'],
    [documents.CREATE_TOKEN, { input: { name: 't', project: newId(), expiresAt: SECRET } }, 'input.expiresAt'],
  ] as const) {
    test(`is named: ${JSON.stringify(variables).slice(0, 70)}`, () =>
      refused('BAD_USER_INPUT', field, document, variables))
  }
})

describe('a value in the document that does not fit', () => {
  const token = (input: string): string =>
    `mutation { createToken(input: { name: "t", project: "p", ${input} }) { secret } }`
  for (const [document, ...fields] of [
    [token('maxRequests: 99999999999'), 'input.maxRequests'],
    [token('limits: { requestsPerMinute: 1e20 }'), 'input.limits.requestsPerMinute'],
    [token('limits: { secret: 1 }'), 'input.limits.secret'],
    [token('budget: { limitUsd: "secret", period: DAY }'), 'input.budget.limitUsd'],
    [token('budget: { limitUsd: 5 }'), 'input.budget.period'],
    [token('budget: { limitUsd: 5, period: secret }'), 'input.budget.period'],
    [token('budget: "secret"'), 'input.budget'],
    [token('expiresAt: "secret"'), 'input.expiresAt'],
    [token('access: { models: ["a", 1] }'), 'input.access.models.1'],
    [token('access: { models: { secret: 1 }, methods: [null] }'), 'input.access.models', 'input.access.methods.0'],
    ['query ($first: Int = "secret") { tokens(first: $first) { edges { cursor } } }', 'first'],
    ['{ tokens(first: ["secret"]) { edges { cursor } } }', 'first'],
  ] as const) {
    test(`is named: ${document.slice(0, 110)}`, async () => {
      const named = (errors: readonly any[]): boolean => {
        assert.deepEqual(
          errors.map(({ extensions: { code, field } }) => [code, field]),
          fields.map((field) => ['BAD_USER_INPUT', field]),
        )
        for (const { message, extensions } of errors) {
          assert.ok(message.startsWith(`${extensions.field}: `), message)
          assert.doesNotMatch(
            message.slice(extensions.field.length),
            /secret|1e20|99999999999/,
            'a message tells no value',
          )
        }
        return true
      }
      await assert.rejects(ask(document), (thrown: unknown) => named((thrown as GraphqlError).errors))
      await using socket = control.subscribe(document)
      await assert.rejects(socket.next(), (thrown: unknown) => named(thrown as any[]))
    })
  }
})

describe('refused with its field', () => {
  const CREDENTIAL = { provider: newId(), input: { apiKey: 'k' } }
  for (const [name, code, field, document, variables] of [
    [
      'no project',
      'NOT_FOUND',
      'input.project',
      documents.CREATE_ALIAS,
      { input: { name: 'x', project: '', routes: [] } },
    ],
    ['no provider', 'NOT_FOUND', 'provider', documents.ADD_CREDENTIAL, CREDENTIAL],
    [
      'an empty key',
      'BAD_USER_INPUT',
      'input.apiKeys.1',
      documents.CREATE_PROVIDER,
      { input: { name: 'x', kind: 'OPENAI', apiKeys: ['ok', ' '] } },
    ],
    [
      'an invisible character',
      'BAD_USER_INPUT',
      'input.name',
      documents.CREATE_PROJECT,
      { input: { name: 'a\u200bb' } },
    ],
    ['NUL in search', 'BAD_USER_INPUT', 'search', documents.TOKENS, { search: '\0' }],
    [
      'NUL in filter',
      'BAD_USER_INPUT',
      'filter.search',
      '{ requests(filter: { search: "\\u0000" }) { edges { cursor } } }',
      {},
    ],
    ['a bad project of tokens', 'BAD_USER_INPUT', 'project', documents.TOKENS, { project: 'bad' }],
    ['a bad project of aliases', 'BAD_USER_INPUT', 'project', '{ aliases(project: "bad") { id } }', {}],
    ['a bad project of an alias', 'BAD_USER_INPUT', 'project', documents.ALIAS_BY_NAME, { name: 'a', project: 'bad' }],
    [
      'deep settings',
      'BAD_USER_INPUT',
      'input.settings',
      documents.CREATE_PROVIDER,
      { input: { name: 'x', kind: 'SIMULATED', settings: deep(5_000) } },
    ],
    [
      'large settings',
      'BAD_USER_INPUT',
      'input.settings',
      documents.CREATE_PROVIDER,
      { input: { name: 'x', kind: 'SIMULATED', settings: { reply: 'x'.repeat(2 ** 20) } } },
    ],
    [
      'deep metadata',
      'BAD_USER_INPUT',
      'input.metadata',
      documents.CREATE_TOKEN,
      { input: { name: 'x', project: newId(), metadata: deep(33) } },
    ],
    [
      'unlimited lists',
      'BAD_USER_INPUT',
      'query',
      `{ requests(first: null) { edges { node { alias { routes { alias { routes { alias { routes { id name weight } } } } } } } } } }`,
      {},
    ],
  ] as const) {
    test(name, () => refused(code, field, document, variables))
  }

  test('a credential for no project', async () => {
    const { id } = await ask(documents.CREATE_PROVIDER, { input: { name: uniqueName('p'), kind: 'OPENAI' } })
    await refused('NOT_FOUND', 'input.project', documents.ADD_CREDENTIAL, {
      provider: id,
      input: { apiKey: 'k', project: '' },
    })
  })

  test('a report that makes no sense', async () => {
    const report = {
      id: newId(),
      version: '1',
      startedAt: '2026-01-01T00:00:00Z',
      configRevision: 1,
      inFlight: 0,
      requestsPerSecond: 0,
      recordsQueued: 0,
      recordsDropped: 0,
      health: { providers: [], routes: [], credentials: [] },
    }
    for (const [field, value] of [
      ['version', 'v'.repeat(201)],
      ['inFlight', -1],
      ['requestsPerSecond', -0.5],
    ] as const) {
      await refused(
        'BAD_USER_INPUT',
        `report.${field}`,
        REPORT_PROXY_MUTATION,
        { report: { ...report, [field]: value } },
        control.proxyKey,
      )
    }
  })
})

test('metadata of 32 levels is taken', async () => {
  const [{ id: project }] = await ask(documents.PROJECTS)
  await ask(documents.CREATE_TOKEN, { input: { name: 'deep', project, metadata: deep(32) } })
})

test('an id in upper case is the same id', async () => {
  const { id, name } = await ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })
  const { project } = await control.gql('query ($id: ID!) { project(id: $id) { id name } }', { id: id.toUpperCase() })
  assert.deepEqual({ ...project }, { id, name })
  const { token } = await ask(documents.CREATE_TOKEN, { input: { name: 't', project: id.toUpperCase() } })
  assert.equal(token.project.id, id)
  const { edges } = await ask(documents.TOKENS, { project: id.toUpperCase() })
  assert.deepEqual(
    edges.map(({ node }: any) => node.id),
    [token.id],
  )
})

test('a request that is too large is answered as GraphQL', async () => {
  const response = await fetch(`${control.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${control.adminKey}` },
    body: JSON.stringify({ query: `# ${'x'.repeat(17 * 2 ** 20)}` }),
  })
  assert.equal(response.status, 413)
  const answer: any = await response.json()
  assert.deepEqual(answer.errors[0].extensions, { code: 'BAD_USER_INPUT', field: 'query' })
})
