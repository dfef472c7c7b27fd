/** Keys to the API: what they may be bound to, and what whoever has none is answered. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { ADMIN_KEY_PREFIX, MOST_FAILURES, newId, newSecret } from '@millrace/shared'
import pg from 'pg'

import { startControl } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres, WAITING } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

/** Of changes of configuration. */
const CHANGE_LOCK = 7_310_002
const CREATE =
  'mutation ($name: String!, $role: Role!, $projects: [ID!]) { it: createAdminKey(name: $name, role: $role, projects: $projects) { secret adminKey { id role projects { id } } } }'
const ADMIN_KEYS = '{ it: adminKeys { id name projects { id } lastUsedAt revokedAt } }'

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})

await onEachDatabase((stage) => {
  const { ask, refused } = operatorOf(stage)
  const project = async (): Promise<string> =>
    (await ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })).id
  const key = (role: string, projects: readonly string[] | null = null, by?: string): Promise<any> =>
    stage.control.gql(CREATE, { name: uniqueName('key'), role, projects }, by).then(({ it }) => it)
  let a: string
  let b: string
  before(async () => {
    a = await project()
    b = await project()
  })

  test('a key is bound to the projects that it was made with', async () => {
    const { secret, adminKey } = await key('EDITOR', [b, a, b])
    const ids = adminKey.projects.map(({ id }: any) => id)
    assert.deepEqual(ids.sort(), [a, b].sort())
    const { viewer } = await stage.control.gql('{ viewer { id role projects { id } } }', {}, secret)
    assert.deepEqual([viewer.id, viewer.role], [adminKey.id, 'EDITOR'])
    assert.deepEqual(viewer.projects.map(({ id }: any) => id).sort(), [a, b].sort())
    assert.equal((await stage.control.gql('{ viewer { projects { id } } }')).viewer.projects, null)
    const { createToken } = await stage.control.gql(
      'mutation ($input: CreateTokenInput!) { createToken(input: $input) { token { project { id } } } }',
      { input: { name: 'by a bound key', project: b } },
      secret,
    )
    assert.equal(createToken.token.project.id, b)
  })

  for (const [what, role, projects, code, field] of [
    ['no projects', 'VIEWER', [], 'BAD_USER_INPUT', 'projects'],
    ['what is no id', 'VIEWER', ['x'], 'BAD_USER_INPUT', 'projects.0'],
    ['a project that is not there', 'VIEWER', [newId()], 'NOT_FOUND', 'projects.0'],
    ['too many', 'VIEWER', Array.from({ length: 1_001 }, newId), 'BAD_USER_INPUT', 'projects'],
  ] as const) {
    test(`is bound to ${what}: refused`, () =>
      refused(code, field, CREATE, { name: uniqueName('key'), role, projects }).then(() => undefined))
  }
  test('a PROXY key is not bound', () =>
    refused('BAD_USER_INPUT', 'projects', CREATE, { name: uniqueName('key'), role: 'PROXY', projects: [a] }).then(
      () => undefined,
    ))

  describe('an ADMIN key that is bound', () => {
    test('makes, sees and revokes keys within its projects, and no others', async () => {
      const { secret: admin } = await key('ADMIN', [a, b])
      const { secret: ofA } = await key('ADMIN', [a])
      const both = await key('VIEWER', [a, b], admin)
      const one = await key('ADMIN', [a], admin)
      const seen = async (by: string): Promise<string[]> =>
        (await stage.control.gql(ADMIN_KEYS, {}, by)).it.map(({ id }: any) => id)
      assert.ok((await seen(admin)).includes(both.adminKey.id))
      assert.ok(!(await seen(ofA)).includes(both.adminKey.id), 'it is bound to another project, too')
      assert.ok((await seen(ofA)).includes(one.adminKey.id))

      await assert.rejects(key('VIEWER', null, admin), { code: 'FORBIDDEN' })
      await assert.rejects(key('PROXY', null, admin), { code: 'FORBIDDEN' })
      await assert.rejects(key('VIEWER', [a, b], ofA), { code: 'NOT_FOUND', field: 'projects.1' })
      await assert.rejects(stage.control.gql(documents.REVOKE_ADMIN_KEY, { id: both.adminKey.id }, ofA), {
        code: 'NOT_FOUND',
      })
      await stage.control.gql(documents.REVOKE_ADMIN_KEY, { id: one.adminKey.id }, ofA)
      await assert.rejects(stage.control.gql('{ viewer { id } }', {}, one.secret), { code: 'UNAUTHENTICATED' })
    })

    test('does not stand in for the last that is not', async () => {
      await key('ADMIN', [a])
      const { viewer } = await stage.control.gql('{ viewer { id } }')
      const others = (await ask(ADMIN_KEYS)).filter((one: any) => one.projects === null && one.id !== viewer.id)
      for (const { id, revokedAt, name } of others)
        if (revokedAt === null && name !== 'proxies') await ask(documents.REVOKE_ADMIN_KEY, { id })
      assert.match(await refused('CONFLICT', undefined, documents.REVOKE_ADMIN_KEY, { id: viewer.id }), /last admin/)
    })
  })

  test('a key that is bound gives its projects no upstream key out of the environment', async () => {
    const { secret } = await key('ADMIN', [a])
    const { id: provider } = await ask(documents.CREATE_PROVIDER, { input: { name: uniqueName('p'), kind: 'OPENAI' } })
    const add = (apiKey: string, by: string): Promise<unknown> =>
      stage.control.gql(documents.ADD_CREDENTIAL, { provider, input: { apiKey, project: a } }, by)
    await assert.rejects(add('env:THEIRS_API_KEY', secret), { code: 'FORBIDDEN' })
    await add('env:THEIRS_API_KEY', stage.control.adminKey)
    await add('sk-its-own', secret)
  })

  test('on a WebSocket, a malformed key has the answer of an unknown one', async () => {
    for (const bad of ['a bad key', '\0\0\0', 'ak-mr-\0', '\ud800', '']) {
      await using nobodys = stage.control.subscribe('subscription { auditFeed { id } }', {}, bad)
      await assert.rejects(nobodys.next(), { code: 4403 }, JSON.stringify(bad))
    }
  })

  test('an unknown key, a malformed one and one that is nearly good have the same answer', async () => {
    const { adminKey } = stage.control
    const answers = new Set<string>()
    for (const authorization of [
      `Bearer ${newSecret(ADMIN_KEY_PREFIX).secret}`,
      `Bearer ${adminKey.slice(0, -1)}${adminKey.endsWith('x') ? 'y' : 'x'}`,
      `Bearer ${adminKey}x`,
      'Bearer x',
      'Bearer \u00e4\u00f6',
      'Basic eDp5',
      'nonsense',
    ]) {
      const response = await fetch(`${stage.control.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: '{"query":"{ viewer { id } }"}',
      })
      answers.add(`${response.status} ${await response.text()}`)
    }
    assert.equal(answers.size, 1, [...answers].join('\n'))
  })
})

test('a key that is revoked while its change waits for its turn changes nothing', { skip }, async () => {
  if ('skip' in server) return
  await using database = await server.createDatabase()
  await using control = await startControl({ databaseUrl: database.url })
  const { it: key } = await control.gql(CREATE, { name: 'short-lived', role: 'ADMIN' })
  const others = new pg.Client({ connectionString: database.url })
  await others.connect()
  try {
    await others.query('begin')
    // As another control process does it, whose change comes first.
    await others.query('select pg_advisory_xact_lock($1)', [CHANGE_LOCK])
    const changing = control.gql(documents.CREATE_PROJECT, { input: { name: 'too late' } }, key.secret)
    changing.catch(() => undefined)
    await waitFor(async () => (await others.query(WAITING)).rows.length > 0)
    await others.query('update admin_key set revoked_at = now() where id = $1', [key.adminKey.id])
    await others.query('commit')
    await assert.rejects(changing, { code: 'UNAUTHENTICATED' })
  } finally {
    await others.end()
  }
  const { it: projects } = await control.gql('{ it: projects { name } }')
  assert.ok(!projects.some(({ name }: any) => name === 'too late'))
})

test('an address that knocks with bad keys too often is told to wait; a good key is not', async () => {
  await using control = await startControl({ env: { MILLRACE_TRUSTED_PROXIES: '127.0.0.0/8' } })
  const knock = (key: string | null, from: string): Promise<Response> =>
    fetch(`${control.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': from,
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      body: '{"query":"{ viewer { id } }"}',
    })
  let knocks = 1
  let late = await knock('a bad key', '192.0.2.7')
  // Since the first a few may have been forgiven.
  for (; late.status === 200 && knocks < 4 * MOST_FAILURES; knocks++) late = await knock('a bad key', '192.0.2.7')
  assert.ok(knocks > MOST_FAILURES, `${knocks}`)
  assert.equal(late.status, 429)
  assert.ok(Number(late.headers.get('retry-after')) >= 1)
  const { errors }: any = await late.json()
  assert.equal(errors[0].extensions.code, 'UNAUTHENTICATED')
  assert.equal((await knock(control.adminKey, '192.0.2.7')).status, 200, 'a good key from the same address')
  assert.equal((await knock('a bad key', '192.0.2.8')).status, 200, 'another address')
  assert.equal((await knock(null, '192.0.2.7')).status, 200, 'who brings no key has not failed')

  knocks++
  // What was counted is told at the end of each minute, or when the process ends.
  await control.restart()
  const { it } = await control.gql<any>(documents.AUDIT)
  const refusals = it.edges
    .map(({ node }: any) => node)
    .filter(({ clientIp, result }: any) => clientIp === '192.0.2.7' && result === 'UNAUTHENTICATED')
  for (const { actor } of refusals) assert.equal(actor, 'anonymous')
  assert.deepEqual([refusals.at(-1).action, refusals.at(-1).subject], ['viewer', 'Query.viewer'])
  const counted = refusals.map(({ details }: any) => details.count ?? 1)
  assert.equal(
    counted.reduce((sum: number, count: number) => sum + count, 0),
    knocks,
  )
  assert.ok(counted.length <= 6, `${counted.length} events of one address`)
})
