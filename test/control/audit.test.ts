/** Who did what, or was refused it: who, from where, by which request, what; and never a secret. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'

import { newId } from '@millrace/shared'

import { startControl } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { within } from '../helpers/wait.ts'
import { begun } from './begun.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

const EVENTS = `query ($filter: AuditFilter, $first: Int, $after: String) {
  it: auditEvents(filter: $filter, first: $first, after: $after) {
    edges { cursor node { id actor action subject result requestId clientIp details project { id } } }
    pageInfo { hasNextPage endCursor }
  }
}`
const FEED = 'subscription { auditFeed { id action subject result } }'

await onEachDatabase((stage) => {
  const { ask, provider } = operatorOf(stage)
  const events = async (filter: object = {}): Promise<any[]> =>
    (await ask(EVENTS, { filter })).edges.map(({ node }: any) => node)
  let viewer: { secret: string; adminKey: { id: string; name: string } }
  before(async () => {
    viewer = await ask(documents.CREATE_ADMIN_KEY, { name: uniqueName('a viewer'), role: 'VIEWER' })
  })

  /** Sends it with a request id of our own. */
  const send = async (requestId: string, query: string, variables: object, key: string): Promise<any> =>
    (
      await fetch(`${stage.control.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${key}`,
          'x-request-id': requestId,
        },
        body: JSON.stringify({ query, variables }),
      })
    ).json()

  test('a change: who, from where, by which request, and what', async () => {
    const { it: project } = await stage.control.gql<any>(documents.CREATE_PROJECT, { input: { name: uniqueName('p') } })
    const requestId = newId()
    const input = { name: uniqueName('t'), project: project.id }
    await send(requestId, documents.CREATE_TOKEN, { input }, stage.control.adminKey)
    const [event] = await events({ action: 'createToken', project: project.id })
    assert.deepEqual(
      [event.actor, event.subject, event.result, event.requestId, event.clientIp, event.project.id],
      ['first admin', `token ${input.name}`, 'SUCCESS', requestId, '127.0.0.1', project.id],
    )
    const [{ action, kind, name, after }] = event.details.changes
    assert.deepEqual([action, kind, name, after.project], ['CREATE', 'token', input.name, project.id])
  })

  describe('a refusal', () => {
    for (const [code, document, variables, details] of [
      ['FORBIDDEN', documents.DELETE_PROVIDER, { id: newId() }, { arguments: true }],
      ['FORBIDDEN', '{ it: adminKeys { id } }', {}, {}],
    ] as const) {
      test(`for its rights: ${document.slice(0, 40)}`, async () => {
        const requestId = newId()
        const { errors } = await send(requestId, document, variables, viewer.secret)
        assert.equal(errors[0].extensions.code, code)
        const [event] = await events({ actor: viewer.adminKey.name, result: code })
        assert.equal(event.requestId, requestId)
        assert.equal(event.clientIp, '127.0.0.1')
        assert.match(event.subject, /^(Mutation\.deleteProvider|Query\.adminKeys)$/)
        assert.equal(event.details.adminKey, viewer.adminKey.id)
        assert.deepEqual(event.details.arguments, 'arguments' in details ? variables : undefined)
      })
    }

    test('of a mutation that was asked for wrongly, by the field at fault', async () => {
      const secret = `sk-${newId()}`
      const { errors } = await send(
        newId(),
        documents.CREATE_PROVIDER,
        { input: { name: 'p', kind: 'OPENAI', apiKeys: [`${secret} ${secret}`] } },
        stage.control.adminKey,
      )
      assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT')
      const [event] = await events({ action: 'createProvider', result: 'BAD_USER_INPUT' })
      assert.deepEqual(event.details.field, 'input.apiKeys.0')
      assert.ok(!JSON.stringify(event).includes(secret))
    })

    test('of a field whose name is the client’s own: no more of it than is needed, whatever is in it', async () => {
      for (const name of ['\0', '\ud800', 'x'.repeat(100_000)]) {
        const input = { name: 'p', kind: 'OPENAI', settings: { [name]: 1 } }
        const requestId = newId()
        const { errors } = await send(requestId, documents.CREATE_PROVIDER, { input }, stage.control.adminKey)
        assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT')
        const [event] = await events({ action: 'createProvider', result: 'BAD_USER_INPUT' })
        assert.equal(event.requestId, requestId, `the refusal of ${JSON.stringify(name.slice(0, 9))}`)
        assert.match(event.details.field, /^input\.settings/)
        assert.ok(event.details.field.length <= 200)
      }
    })

    test('of a socket that comes without a good key', async () => {
      await using nobodys = stage.control.subscribe(FEED, {}, 'a bad key')
      await assert.rejects(nobodys.next(), { code: 4403 })
      const [event] = await events({ result: 'UNAUTHENTICATED' })
      assert.deepEqual([event.actor, event.subject], ['anonymous', 'WebSocket.connect'])
    })

    test('of a query that asks wrongly is none', async () => {
      await ask('{ it: request { id } }').catch(() => undefined)
      assert.deepEqual(await events({ action: 'request' }), [])
    })
  })

  test('many refusals of one key are counted', async () => {
    const { secret, adminKey } = await ask(documents.CREATE_ADMIN_KEY, { name: uniqueName('busy'), role: 'VIEWER' })
    await Promise.all(Array.from({ length: 300 }, () => send(newId(), '{ adminKeys { id } }', {}, secret)))
    const { edges } = await ask(EVENTS, { filter: { actor: adminKey.name }, first: 500 })
    // A minute may have ended meanwhile.
    assert.ok(edges.length >= 100 && edges.length <= 203, `${edges.length} events`)
  })

  test('pages go on where the last one ended', async () => {
    const seen: string[] = []
    let after: string | null = null
    for (let page = 0; page < 3; page++) {
      const { edges, pageInfo }: any = await ask(EVENTS, { first: 2, after })
      seen.push(...edges.map(({ node }: any) => node.id))
      after = pageInfo.endCursor
    }
    assert.deepEqual(
      seen,
      (await ask(EVENTS, { first: 6 })).edges.map(({ node }: any) => node.id),
    )
  })

  test('the feed tells of each event once, in their order', async () => {
    await using feed = await begun(stage.control, FEED, {}, () => provider())
    const names = Array.from({ length: 30 }, () => uniqueName('told'))
    await Promise.all(
      names.map((name, i) =>
        i % 3 === 0
          ? send(newId(), '{ adminKeys { id } }', {}, viewer.secret)
          : ask(documents.CREATE_PROJECT, { input: { name } }),
      ),
    )
    const expected = names.filter((_, i) => i % 3 !== 0).map((name) => `project ${name}`)
    const told: string[] = []
    let refusals = 0
    while (told.length < expected.length || refusals < 10) {
      const { auditFeed } = (await within(10_000, 'an event', feed.next())).value
      if (auditFeed.result === 'FORBIDDEN') refusals++
      else if (auditFeed.action === 'createProject') told.push(auditFeed.subject)
    }
    assert.deepEqual([...told].sort(), expected.sort())
  })
})

test('an address behind a trusted proxy is the client’s, behind any other the proxy’s', async () => {
  for (const [trusted, expected] of [
    ['127.0.0.0/8', '2001:db8::1'],
    ['192.0.2.0/24', '127.0.0.1'],
  ] as const) {
    await using control = await startControl({ env: { MILLRACE_TRUSTED_PROXIES: trusted } })
    await fetch(`${control.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${control.adminKey}`,
        'x-forwarded-for': '203.0.113.9, 2001:db8::1',
      },
      body: JSON.stringify({ query: documents.CREATE_PROJECT, variables: { input: { name: 'p' } } }),
    })
    const [event] = (await control.gql<any>(documents.AUDIT)).it.edges
    assert.deepEqual([event.node.action, event.node.clientIp], ['createProject', expected])
  }
})
