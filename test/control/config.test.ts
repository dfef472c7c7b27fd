/** What an operator does to the configuration, over the API, on each database. */
import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import type { GraphqlError } from '../helpers/graphql.ts'
import * as documents from './documents.ts'
import { onEachDatabase } from './suites.ts'

const UPSTREAM_KEY = 'sk-upstream-no-one-may-ever-see-this'

await onEachDatabase(
  (stage) => {
    // Every document names its one field `it`.
    const ask = async (document: string, variables = {}, key?: string | null): Promise<any> =>
      (await stage.control.gql(document, variables, key)).it
    const refused = async (
      code: string,
      field: string | undefined,
      document: string,
      variables = {},
    ): Promise<string> => {
      const error: GraphqlError = await ask(document, variables).then(
        () => assert.fail(`was not refused: ${JSON.stringify(variables)}`),
        (thrown: unknown) => thrown as GraphqlError,
      )
      assert.deepEqual([error.code, error.field], [code, field], error.message)
      return error.message
    }
    const provider = (more = {}): Promise<any> =>
      ask(documents.CREATE_PROVIDER, {
        input: { name: uniqueName('provider'), kind: 'OPENAI_COMPATIBLE', baseUrl: 'http://127.0.0.1:9/v1', ...more },
      })
    const alias = (routes: object[], more = {}): Promise<any> =>
      ask(documents.CREATE_ALIAS, { input: { name: uniqueName('alias'), routes, ...more } })
    const project = async (): Promise<any> => ask(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })

    test('a first start makes a system that answers', async () => {
      const { control } = stage
      assert.deepEqual(
        (await ask(documents.PROVIDERS)).map(({ name, kind, credentials }: any) => [
          name,
          kind,
          credentials[0]?.fingerprint,
        ]),
        [
          ['groq', 'OPENAI_COMPATIBLE', 'env:GROQ_API_KEY'],
          ['openai', 'OPENAI', 'env:OPENAI_API_KEY'],
          ['simulator', 'SIMULATED', undefined],
        ],
      )
      const demo = await ask(documents.ALIAS_BY_NAME, { name: 'demo' })
      assert.equal(demo.routes.length, 1)
      assert.deepEqual(
        (await ask(documents.PROJECTS)).map(({ name }: any) => name),
        ['default'],
      )
      const credentials = JSON.parse(await readFile(join(control.dataDir, 'credentials.json'), 'utf8'))
      assert.deepEqual([credentials.adminKey, credentials.token], [control.adminKey, control.token])
      for (const file of ['credentials.json', 'master.key', 'proxy.key']) {
        assert.equal((await stat(join(control.dataDir, file))).mode & 0o777, 0o600, file)
      }
      assert.equal((await readFile(join(control.dataDir, 'proxy.key'), 'utf8')).trim(), control.proxyKey)
    })

    describe('providers', () => {
      test('are made, changed and removed', async () => {
        const made = await provider({
          apiKeys: [UPSTREAM_KEY, 'env:ACME_API_KEY'],
          timeouts: { connect: 10 },
          settings: { http2: true },
        })
        assert.deepEqual(made.timeouts, { connect: 10, firstToken: 60_000, idle: 60_000, total: 600_000 })
        assert.deepEqual(made.settings, { http2: true })
        assert.match(made.credentials[0].fingerprint, /^sha256:[0-9a-f]{16}$/)
        assert.equal(made.credentials[1].fingerprint, 'env:ACME_API_KEY')

        const changed = await ask(documents.UPDATE_PROVIDER, { id: made.id, input: { timeouts: { total: 20 } } })
        assert.deepEqual(changed, { ...made, timeouts: { ...made.timeouts, total: 20 } }, 'the rest stays')
        const cleared = await ask(documents.UPDATE_PROVIDER, {
          id: made.id,
          input: { timeouts: { connect: null }, settings: { http2: null }, enabled: false },
        })
        assert.deepEqual(cleared.timeouts, { connect: 5_000, firstToken: 60_000, idle: 60_000, total: 20 })
        assert.deepEqual([cleared.settings, cleared.enabled], [{}, false])

        assert.equal(await ask(documents.DELETE_PROVIDER, { id: made.id }), true)
        await refused('NOT_FOUND', undefined, documents.DELETE_PROVIDER, { id: made.id })
      })

      test('take what their kind takes', async () => {
        const openai = await provider({ kind: 'OPENAI', baseUrl: null })
        assert.equal(openai.baseUrl, 'https://api.openai.com/v1')
        const simulated = await provider({
          kind: 'SIMULATED',
          baseUrl: null,
          settings: { outputTokens: 5, errorRate: 0.5 },
        })
        assert.deepEqual(simulated.settings, { outputTokens: 5, errorRate: 0.5 })
        const merged = await ask(documents.UPDATE_PROVIDER, {
          id: simulated.id,
          input: { settings: { errorRate: null } },
        })
        assert.deepEqual(merged.settings, { outputTokens: 5 })
      })

      for (const [input, field] of [
        [{ name: ' ' }, 'input.name'],
        [{ name: 'a\0b' }, 'input.name'],
        [{ name: 'x'.repeat(201) }, 'input.name'],
        [{ kind: 'NO_SUCH_KIND' }, 'input.kind'],
        [{ baseUrl: null }, 'input.baseUrl'],
        [{ baseUrl: 'ftp://example.com' }, 'input.baseUrl'],
        [{ baseUrl: 'http://user:secret@example.com' }, 'input.baseUrl'],
        [{ baseUrl: 'http://example.com/?a=b' }, 'input.baseUrl'],
        [{ baseUrl: 'http://169.254.169.254/latest' }, 'input.baseUrl'],
        [{ kind: 'SIMULATED' }, 'input.baseUrl'],
        [{ timeouts: { connect: 0 } }, 'input.timeouts.connect'],
        [{ timeouts: { idle: 86_400_001 } }, 'input.timeouts.idle'],
        [{ timeouts: { total: 1.5 } }, 'input.timeouts.total'],
        [{ settings: { http3: true } }, 'input.settings.http3'],
        [{ settings: { http2: 'yes' } }, 'input.settings.http2'],
        [{ settings: [] }, 'input.settings'],
        [{ kind: 'SIMULATED', baseUrl: null, settings: { reply: 'a\0' } }, 'input.settings'],
        [{ kind: 'SIMULATED', baseUrl: null, settings: { errorRate: 2 } }, 'input.settings.errorRate'],
        [{ apiKeys: ['good', 'not good'] }, 'input.apiKeys.1'],
        [{ apiKeys: ['env:PATH'] }, 'input.apiKeys.0'],
        [{ apiKeys: ['env:MILLRACE_MASTER_API_KEY'] }, 'input.apiKeys.0'],
      ] as const) {
        test(`refuse ${JSON.stringify(input).slice(0, 60)}`, async () => {
          const whole = {
            name: uniqueName('bad'),
            kind: 'OPENAI_COMPATIBLE',
            baseUrl: 'http://127.0.0.1:9/v1',
            ...input,
          }
          const message = await refused('BAD_USER_INPUT', field, documents.CREATE_PROVIDER, { input: whole })
          assert.doesNotMatch(message, /not good|secret/, 'a message tells no key')
        })
      }

      test('have names of their own', async () => {
        const { id, name } = await provider()
        const other = await provider()
        const input = { name, kind: 'SIMULATED' }
        assert.match(
          await refused('CONFLICT', undefined, documents.CREATE_PROVIDER, { input }),
          /provider of this name/,
        )
        await refused('CONFLICT', undefined, documents.UPDATE_PROVIDER, { id: other.id, input: { name } })
        await refused('BAD_USER_INPUT', 'input.name', documents.UPDATE_PROVIDER, { id, input: { name: null } })
      })

      test('stay while routes use them', async () => {
        const { id } = await provider()
        const { id: aliasId, name } = await alias([{ provider: id }])
        assert.match(await refused('CONFLICT', undefined, documents.DELETE_PROVIDER, { id }), new RegExp(name))
        await ask(documents.DELETE_ALIAS, { id: aliasId })
        assert.equal(await ask(documents.DELETE_PROVIDER, { id }), true)
      })

      test('that move take no key along', async () => {
        const { id, credentials } = await provider({ apiKeys: [UPSTREAM_KEY, 'env:ACME_API_KEY'] })
        const moved = await ask(documents.UPDATE_PROVIDER, { id, input: { baseUrl: 'http://127.0.0.1:10/v1' } })
        assert.deepEqual(
          moved.credentials.map(({ enabled }: any) => enabled),
          [false, false],
        )
        for (const { id: credential } of credentials) {
          await refused('CONFLICT', undefined, documents.SET_CREDENTIAL_ENABLED, { id: credential, enabled: true })
        }
        const again = await ask(documents.ADD_CREDENTIAL, { provider: id, input: { apiKey: UPSTREAM_KEY } })
        assert.deepEqual([again.id, again.enabled], [credentials[0].id, true], 'entered again, it is the same one')
      })
    })

    test('credentials are added, switched and removed', async () => {
      const [{ id: owner }, { id: provider1 }] = [await project(), await provider({ apiKeys: [UPSTREAM_KEY] })]
      const input = { apiKey: UPSTREAM_KEY, label: 'of the project', project: owner }
      const own = await ask(documents.ADD_CREDENTIAL, { provider: provider1, input })
      assert.deepEqual([own.label, own.project.id, own.enabled], ['of the project', owner, true])
      await refused('CONFLICT', undefined, documents.ADD_CREDENTIAL, { provider: provider1, input })
      await refused('NOT_FOUND', 'input.project', documents.ADD_CREDENTIAL, {
        provider: provider1,
        input: { ...input, project: provider1 },
      })
      await refused('NOT_FOUND', 'provider', documents.ADD_CREDENTIAL, { provider: owner, input })
      const off = await ask(documents.SET_CREDENTIAL_ENABLED, { id: own.id, enabled: false })
      assert.equal(off.enabled, false)
      assert.equal((await ask(documents.SET_CREDENTIAL_ENABLED, { id: own.id, enabled: true })).enabled, true)
      assert.equal(await ask(documents.DELETE_CREDENTIAL, { id: own.id }), true)
      await refused('NOT_FOUND', undefined, documents.DELETE_CREDENTIAL, { id: own.id })
    })

    describe('aliases', () => {
      test('and their routes are made, changed and removed', async () => {
        const { id: target } = await provider()
        const made = await alias([
          { provider: target, priority: 1 },
          { provider: target, providerModel: 'm', weight: 3 },
        ])
        assert.deepEqual(
          made.routes.map((one: any) => [one.priority, one.weight, one.providerModel, one.enabled, one.alias.id]),
          [
            [0, 3, 'm', true, made.id],
            [1, 1, null, true, made.id],
          ],
        )
        const route = await ask(documents.ADD_ROUTE, { alias: made.id, input: { provider: target, name: 'third' } })
        assert.deepEqual(route, {
          id: route.id,
          name: 'third',
          providerModel: null,
          priority: 0,
          weight: 1,
          enabled: true,
          condition: null,
          inputPrice: null,
          outputPrice: null,
          cachedInputPrice: null,
          provider: { id: target },
          alias: { id: made.id },
        })
        const changed = await ask(documents.UPDATE_ROUTE, {
          id: route.id,
          input: { name: null, weight: 0, enabled: false },
        })
        assert.deepEqual(changed, { ...route, name: null, weight: 0, enabled: false })
        assert.equal(await ask(documents.DELETE_ROUTE, { id: route.id }), true)
        const name = uniqueName('renamed/to.a:name')
        const renamed = await ask(documents.UPDATE_ALIAS, { id: made.id, input: { name, enabled: false } })
        assert.deepEqual([renamed.name, renamed.enabled, renamed.routes.length], [name, false, 2])
        assert.equal(await ask(documents.DELETE_ALIAS, { id: made.id }), true)
        assert.equal(await ask(documents.ALIAS_BY_NAME, { name }), null)
      })

      test('are unique within their project', async () => {
        const [{ id: a }, { id: b }] = [await project(), await project()]
        const { name, id } = await alias([])
        const own = await alias([], { name, project: a })
        await alias([], { name, project: b })
        for (const owner of [null, a]) {
          await refused('CONFLICT', undefined, documents.CREATE_ALIAS, { input: { name, project: owner, routes: [] } })
        }
        assert.equal((await ask(documents.ALIAS_BY_NAME, { name })).id, id)
        assert.equal((await ask(documents.ALIAS_BY_NAME, { name, project: a })).id, own.id)
      })

      const ROUTE = { provider: '00000000-0000-7000-8000-000000000000' }
      for (const [input, code, field] of [
        [{ name: 'a b' }, 'BAD_USER_INPUT', 'input.name'],
        [{ project: ROUTE.provider }, 'NOT_FOUND', 'input.project'],
        [{ routes: [ROUTE] }, 'NOT_FOUND', 'input.routes.0.provider'],
        [{ routes: [{ provider: 'no id' }] }, 'NOT_FOUND', 'input.routes.0.provider'],
        [{ routes: [{ ...ROUTE, weight: -1 }] }, 'BAD_USER_INPUT', 'input.routes.0.weight'],
        [{ routes: [{ ...ROUTE, weight: 1_000_001 }] }, 'BAD_USER_INPUT', 'input.routes.0.weight'],
        [{ routes: [{ ...ROUTE, priority: -1 }] }, 'BAD_USER_INPUT', 'input.routes.0.priority'],
        [{ routes: [{ ...ROUTE, providerModel: '' }] }, 'BAD_USER_INPUT', 'input.routes.0.providerModel'],
      ] as const) {
        test(`refuse ${JSON.stringify(input)}`, async () => {
          await refused(code, field, documents.CREATE_ALIAS, {
            input: { name: uniqueName('bad'), routes: [], ...input },
          })
        })
      }
    })

    test('projects are deactivated and come back', async () => {
      const { id, name, active } = await project()
      assert.equal(active, true)
      const off = await ask(documents.UPDATE_PROJECT, { id, input: { active: false } })
      assert.ok(!off.active && off.deactivatedAt)
      const on = await ask(documents.UPDATE_PROJECT, { id, input: { active: true } })
      assert.deepEqual([on.name, on.active, on.deactivatedAt], [name, true, null])
      await refused('CONFLICT', undefined, documents.CREATE_PROJECT, { input: { name: ` ${name} ` } })
    })

    test('tokens are made, changed, found and revoked', async () => {
      const { id: owner } = await project()
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
      const input = { name: 'of ann', project: owner, expiresAt, metadata: { team: 'a', n: 1 } }
      const { secret, token } = await ask(documents.CREATE_TOKEN, { input })
      assert.match(secret, /^sk-mr-[0-9A-Za-z]{12}-[0-9A-Za-z]{32,}$/)
      assert.ok(secret.startsWith(`${token.prefix}-`))
      assert.deepEqual([token.status, token.expiresAt, token.metadata], ['ACTIVE', expiresAt, { team: 'a', n: 1 }])
      const changed = await ask(documents.UPDATE_TOKEN, {
        id: token.id,
        input: { expiresAt: null, metadata: { n: null } },
      })
      assert.deepEqual(changed, { ...token, expiresAt: null, metadata: { team: 'a' } })
      const revoked = await ask(documents.REVOKE_TOKEN, { id: token.id })
      assert.ok(revoked.status === 'REVOKED' && revoked.revokedAt)
      assert.deepEqual(await ask(documents.REVOKE_TOKEN, { id: token.id }), revoked, 'once is enough')

      for (const name of ['b', 'c', 'd']) await ask(documents.CREATE_TOKEN, { input: { name, project: owner } })
      const names = async (variables: object): Promise<string[]> =>
        (await ask(documents.TOKENS, { project: owner, ...variables })).edges.map(({ node }: any) => node.name)
      assert.deepEqual((await names({})).sort(), ['b', 'c', 'd', 'of ann'])
      assert.deepEqual(await names({ status: 'REVOKED' }), ['of ann'])
      assert.deepEqual(await names({ search: 'OF A' }), ['of ann'])
      assert.deepEqual(await names({ search: '%' }), [])
      const seen: string[] = []
      for (let after: string | null = null; ;) {
        const page: any = await ask(documents.TOKENS, { project: owner, first: 3, after })
        seen.push(...page.edges.map(({ node }: any) => node.id))
        if (!page.pageInfo.hasNextPage) break
        after = page.pageInfo.endCursor
      }
      assert.equal(new Set(seen).size, 4)

      await refused('BAD_USER_INPUT', 'input.expiresAt', documents.CREATE_TOKEN, {
        input: { ...input, expiresAt: '2020-01-01T00:00:00Z' },
      })
      await refused('BAD_USER_INPUT', 'input.expiresAt', documents.CREATE_TOKEN, {
        input: { ...input, expiresAt: 'soon' },
      })
      await refused('BAD_USER_INPUT', 'input.metadata', documents.CREATE_TOKEN, {
        input: { ...input, metadata: { a: 'x'.repeat(17_000) } },
      })
      await refused('NOT_FOUND', 'input.project', documents.CREATE_TOKEN, { input: { ...input, project: token.id } })
      await refused('BAD_USER_INPUT', 'first', documents.TOKENS, { first: 501 })
      await refused('BAD_USER_INPUT', 'after', documents.TOKENS, { after: 'nowhere' })
    })

    test('admin keys open what their role opens, until they are revoked', async () => {
      const { secret, adminKey } = await ask(documents.CREATE_ADMIN_KEY, { name: 'second', role: 'ADMIN' })
      assert.match(secret, /^ak-mr-/)
      assert.ok(await ask(documents.PROJECTS, {}, secret))
      assert.ok((await ask(documents.REVOKE_ADMIN_KEY, { id: adminKey.id })).revokedAt)
      for (const [key, code] of [
        [secret, 'UNAUTHENTICATED'],
        [null, 'UNAUTHENTICATED'],
        ['ak-mr-of-nobody', 'UNAUTHENTICATED'],
        [stage.control.token, 'UNAUTHENTICATED'],
        [stage.control.proxyKey, 'FORBIDDEN'],
      ] as const) {
        for (const document of [documents.PROJECTS, 'mutation { it: createProject(input: { name: "x" }) { id } }']) {
          await assert.rejects(ask(document, {}, key), { code })
        }
      }
      const { it: viewer } = await stage.control.gql('{ it: viewer { id name role } }')
      assert.deepEqual([viewer.name, viewer.role], ['first admin', 'ADMIN'])
      assert.match(
        await refused('CONFLICT', undefined, documents.REVOKE_ADMIN_KEY, { id: viewer.id }),
        /last admin key/,
      )
    })

    describe('history', () => {
      test('each change is one revision and one audit event', async () => {
        const before = await ask(documents.NEWEST_REVISION)
        const made = await provider({ apiKeys: [UPSTREAM_KEY] })
        const created = await ask(documents.NEWEST_REVISION)
        assert.deepEqual([created.number, created.author], [before.number + 1, 'first admin'])
        assert.deepEqual(
          created.changes.map(({ action, kind, path }: any) => [action, kind, path]),
          [
            ['CREATE', 'provider', null],
            ['CREATE', 'credential', null],
          ],
        )
        await ask(documents.UPDATE_PROVIDER, { id: made.id, input: { timeouts: { connect: 7 }, enabled: false } })
        const updated = await ask(documents.NEWEST_REVISION)
        assert.deepEqual(updated.changes, [
          { action: 'UPDATE', kind: 'provider', name: made.name, path: 'enabled', before: true, after: false },
          { action: 'UPDATE', kind: 'provider', name: made.name, path: 'timeouts.connect', before: null, after: 7 },
        ])
        await ask(documents.UPDATE_PROVIDER, { id: made.id, input: { enabled: false } })
        await refused('CONFLICT', undefined, documents.CREATE_PROVIDER, {
          input: { name: made.name, kind: 'SIMULATED' },
        })
        assert.equal((await ask(documents.NEWEST_REVISION)).number, updated.number, 'what changes nothing makes none')
        const [refusal, event] = (await ask(documents.AUDIT)).edges
        assert.deepEqual(
          [refusal.node.action, refusal.node.subject, refusal.node.result],
          ['createProvider', 'Mutation.createProvider', 'CONFLICT'],
        )
        assert.deepEqual(
          [event.node.actor, event.node.action, event.node.subject, event.node.result, event.node.details.revision],
          ['first admin', 'updateProvider', `provider ${made.name}`, 'SUCCESS', updated.number],
        )
        assert.ok(event.node.requestId && event.node.clientIp)
      })

      test('changes at the same moment take turns', async () => {
        const before = await ask(documents.NEWEST_REVISION)
        const name = uniqueName('wanted by all')
        const results = await Promise.allSettled(
          Array.from({ length: 20 }, (_, i) =>
            ask(documents.CREATE_PROJECT, { input: { name: i % 2 ? uniqueName('at-once') : name } }),
          ),
        )
        assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 11, 'one of the same name')
        const numbers = (await ask(documents.REVISIONS)).edges.map(({ node }: any) => node.number)
        assert.equal(numbers[0], before.number + 11)
        assert.deepEqual(
          numbers,
          Array.from(numbers, (_, i) => numbers[0] - i),
          'without a gap',
        )
      })

      test('no secret is in what is told of changes', async () => {
        await provider({ apiKeys: [UPSTREAM_KEY] })
        const { secret } = await ask(documents.CREATE_TOKEN, {
          input: { name: 't', project: (await ask(documents.PROJECTS))[0].id },
        })
        const told = JSON.stringify([
          await ask(documents.REVISIONS),
          await ask(documents.AUDIT),
          await ask(documents.PROVIDERS),
        ])
        for (const one of [UPSTREAM_KEY, secret, stage.control.adminKey, stage.control.proxyKey, 'digest', 'sealed']) {
          assert.ok(!told.includes(one))
        }
      })
    })

    describe('an operation that asks for too much is refused on HTTP and on WebSocket', () => {
      const deep = `{ aliases { routes ${'{ alias { routes '.repeat(6)}{ id }${' } }'.repeat(6)} } }`
      for (const [name, document, code] of [
        ['too deep', deep, 'GRAPHQL_VALIDATION_FAILED'],
        [
          'too much',
          '{ aliases { routes { alias { routes { alias { routes { provider { credentials { id } } } } } } } } }',
          'BAD_USER_INPUT',
        ],
        ['too long', `{ ${'viewer { id } '.repeat(2_000)} }`, 'GRAPHQL_PARSE_FAILED'],
      ] as const) {
        test(name, async () => {
          await assert.rejects(stage.control.gql(document), { code })
          await using events = stage.control.subscribe(document)
          await assert.rejects(events.next(), (thrown: unknown) => {
            // The client hands refused operations on as the errors that came.
            assert.equal((thrown as { extensions: { code: string } }[])[0]!.extensions.code, code)
            return true
          })
        })
      }
    })

    test('a NUL where the database would end its query is refused', async () => {
      await refused('BAD_USER_INPUT', undefined, documents.ALIAS_BY_NAME, { name: 'a\0b' })
    })

    test('what was acknowledged is there after kill -9, and no upstream key lies in the clear', async () => {
      const { control } = stage
      const made = await provider({ apiKeys: [UPSTREAM_KEY] })
      await control.kill9()
      await control.restart()
      assert.deepEqual(
        (await ask(documents.PROVIDERS)).find(({ id }: any) => id === made.id),
        made,
      )
      const files = await readdir(control.dataDir, { recursive: true, withFileTypes: true })
      for (const file of files.filter((one) => one.isFile())) {
        const bytes = await readFile(join(file.parentPath, file.name))
        assert.ok(!bytes.includes(UPSTREAM_KEY), `${file.parentPath}/${file.name}`)
      }
    })
  },
  { OPENAI_API_KEY: 'of no use here', GROQ_API_KEY: 'of no use here' },
)
