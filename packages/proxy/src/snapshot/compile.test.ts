import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  credentialContext,
  DEFAULT_BREAKER,
  DEFAULT_CACHE,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  DEFAULT_TIMEOUTS,
  newId,
  newMasterKey,
  parseMasterKey,
  partsOf,
  seal,
  SNAPSHOT_FORMAT,
  wholeTransfer,
  type Snapshot,
  type SnapshotAlias,
  type SnapshotProvider,
} from '@millrace/shared'
import { pino } from 'pino'

import { Health } from '../health/health.ts'
import { credentialsFor } from '../routing/credentials.ts'
import { find } from '../routing/found.ts'
import { Pools } from '../upstream/pools.ts'
import type { CompiledProvider, CompiledSnapshot } from './compiled.ts'
import type { CompileContext } from './connect-provider.ts'
import { prepareInSteps } from './prepare.ts'
import { Transfer } from './transfer.ts'

const masterKey = parseMasterKey(newMasterKey())
const context = {
  pools: new Pools(true),
  health: new Health(
    () => {},
    () => {},
  ),
  masterKeys: [masterKey],
  env: { SET_API_KEY: 'from-env', MILLRACE_API_KEY: 'never', OTHER: 'not allowed' },
  envAllow: ['*_API_KEY'],
  log: pino({ level: 'silent' }),
}

const unlimited = { limits: null, budget: null, used: null }
const project = { id: newId(), name: 'default', active: true, ...unlimited }

function provider(over: Partial<SnapshotProvider> = {}): SnapshotProvider {
  const base = { id: newId(), name: 'p', kind: 'OPENAI_COMPATIBLE', baseUrl: 'http://127.0.0.1:9/v1', enabled: true }
  return {
    ...base,
    timeouts: DEFAULT_TIMEOUTS,
    breaker: DEFAULT_BREAKER,
    forcedBreaker: null,
    breakerSetAt: null,
    direct: false,
    maxConcurrency: null,
    settings: {},
    access: null,
    credentials: [],
    ...over,
  }
}

function alias(
  name: string,
  projectId: string | null,
  providers: SnapshotProvider[],
  over: Partial<SnapshotAlias> = {},
): SnapshotAlias {
  const routes = providers.map(({ id }) => ({
    id: newId(),
    providerId: id,
    providerModel: null,
    priority: 0,
    weight: 1,
    enabled: true,
    condition: null,
    inputPrice: null,
    outputPrice: null,
    cachedInputPrice: null,
  }))
  return {
    id: newId(),
    name,
    projectId,
    enabled: true,
    strategy: 'WEIGHTED',
    sticky: DEFAULT_STICKY,
    retry: DEFAULT_RETRY,
    hedge: null,
    unknownParameters: 'DROP',
    cache: DEFAULT_CACHE,
    timeouts: null,
    createdAt: new Date().toISOString(),
    routes,
    ...over,
  }
}

function snapshot(over: Partial<Snapshot>): Snapshot {
  const empty = { providers: [], aliases: [], projects: [project], tokens: [] }
  return { format: SNAPSHOT_FORMAT, revision: 3, ...empty, ...over }
}

function compile(document: Snapshot, how: CompileContext): CompiledSnapshot {
  const parts = [...partsOf(wholeTransfer(document, 'mark'))]
  const transfer = new Transfer(parts[0]!, null)
  for (const part of parts) ended(transfer.readInSteps(part))
  return ended(prepareInSteps(transfer, null, how)).next
}

function ended<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** The provider of the alias `a`'s first route. */
function providerIn(document: Snapshot): CompiledProvider {
  return find(compile(document, context), project.id, 'a')!.alias.routes[0]!.provider
}

describe('compile', () => {
  it('prefers the aliases of a project to global ones of the same name', () => {
    const other = { id: newId(), name: 'other', active: true, ...unlimited }
    const used = provider()
    const compiled = compile(
      snapshot({
        providers: [used],
        projects: [project, other],
        aliases: [alias('a', null, [used]), alias('a', project.id, []), alias('b', null, [used])],
      }),
      context,
    )
    const aliasOf = (projectId: string, model: string) => find(compiled, projectId, model)?.alias
    assert.equal(aliasOf(project.id, 'a')!.routes.length, 0)
    assert.equal(aliasOf(other.id, 'a')!.routes.length, 1)
    assert.ok(aliasOf(project.id, 'b'))
    assert.equal(aliasOf(project.id, 'b'), aliasOf(other.id, 'b'))
  })

  it('finds a provider by its name only if it is direct', () => {
    const compiled = compile(snapshot({ providers: [provider({ name: 'open', direct: true }), provider()] }), context)
    const found = find(compiled, project.id, 'open/some/model')!
    assert.deepEqual([found.alias.id, found.alias.routes[0]!.provider.name, found.model], [null, 'open', 'some/model'])
    assert.equal(found.alias.cache, null)
    assert.equal(find(compiled, project.id, 'p/some/model'), null)
  })

  it('disables the routes of what it cannot use, and serves the rest', () => {
    const [good, unknown, off, badUrl] = [
      provider(),
      provider({ kind: 'TELEPATHY' }),
      provider({ enabled: false }),
      provider({ baseUrl: 'http://169.254.169.254/v1' }),
    ]
    const compiled = compile(
      snapshot({ providers: [good, unknown, off, badUrl], aliases: [alias('a', null, [good, unknown, off, badUrl])] }),
      context,
    )
    const { routes } = find(compiled, project.id, 'a')!.alias
    assert.deepEqual(
      routes.map(({ enabled }) => enabled),
      [true, false, false, false],
    )
  })

  it('disables a route whose condition it does not understand, and the cache of its alias', () => {
    const used = provider()
    const made = alias('a', null, [used, used], { cache: { ...DEFAULT_CACHE, enabled: true } })
    made.routes[1]!.condition = { moon: 'full' }
    const compiled = compile(snapshot({ providers: [used], aliases: [made] }), context)
    const { routes, cache } = find(compiled, project.id, 'a')!.alias
    assert.deepEqual([cache!.cacheable, cache!.policy], [false, made.cache])
    assert.deepEqual(
      routes.map(({ enabled }) => enabled),
      [true, false],
    )
  })

  it("puts the alias's time-outs over the provider's", () => {
    const used = provider({ timeouts: { ...DEFAULT_TIMEOUTS, idle: 7 } })
    const made = alias('a', null, [used], { timeouts: { connect: 11, total: 12 } })
    const compiled = compile(snapshot({ providers: [used], aliases: [made] }), context)
    const [route] = find(compiled, project.id, 'a')!.alias.routes
    assert.deepEqual(route!.timeouts, { ...DEFAULT_TIMEOUTS, connect: 11, idle: 7, total: 12 })
    assert.equal(compiled.connections.length, 2, "what is passed on goes by the provider's own")
  })

  it('keeps what was learnt of a provider and a route from one snapshot to the next', () => {
    const used = provider()
    const document = snapshot({ providers: [used], aliases: [alias('a', null, [used])] })
    const [before, after] = [compile(document, context), compile(document, context)].map(
      (compiled) => find(compiled, project.id, 'a')!.alias.routes[0]!,
    )
    assert.notEqual(before, after)
    assert.equal(before!.health, after!.health)
    assert.equal(before!.provider.health, after!.provider.health)
  })

  it('keeps and reports what was learnt of a provider that is addressed directly', () => {
    const health = new Health(
      () => {},
      () => {},
    )
    const used = provider({ name: 'open', direct: true })
    const document = snapshot({ providers: [used] })
    const serve = (served: Snapshot) => {
      const compiled = compile(served, { ...context, health })
      health.apply(served, compiled.unopened)
      return find(compiled, project.id, 'open/model')?.alias.routes[0]!.health
    }
    const before = serve(document)!
    before.coolingUntil = performance.now() + 60_000
    assert.equal(serve(document), before)
    const [reported] = health.report().direct
    assert.equal(reported?.providerId, used.id)
    assert.ok(Date.parse(reported.coolingUntil!) > Date.now() + 50_000)
    serve(snapshot({ providers: [{ ...used, direct: false }] }))
    assert.deepEqual(health.report().direct, [])
  })

  it('opens sealed credentials and allowed env: references, and leaves the others out', () => {
    const id = newId()
    const own = newId()
    const credential = (
      secret: { sealed: string } | { env: string },
      credentialId = newId(),
      projectId: string | null = null,
    ) => {
      return { id: credentialId, projectId, fingerprint: 'f', secret }
    }
    const used = provider({
      id,
      credentials: [
        credential({ sealed: seal('sk-own', masterKey, credentialContext(id, own)) }, own, project.id),
        credential({ sealed: seal('sk-moved', masterKey, credentialContext(id, newId())) }),
        credential({ sealed: seal('sk-other', parseMasterKey(newMasterKey()), credentialContext(id, own)) }, own),
        credential({ env: 'SET_API_KEY' }),
        credential({ env: 'UNSET_API_KEY' }),
        credential({ env: 'MILLRACE_API_KEY' }),
        credential({ env: 'OTHER' }),
      ],
    })
    const document = snapshot({ providers: [used], aliases: [alias('a', null, [used])] })
    const [, ...others] = used.credentials
    assert.deepEqual(
      compile(document, context).unopened,
      others.filter(({ secret }) => !('env' in secret && secret.env === 'SET_API_KEY')).map((one) => one.id),
    )
    const compiled = providerIn(document)
    assert.deepEqual(
      compiled.sharedCredentials.map(({ apiKey }) => apiKey),
      ['from-env'],
    )
    assert.deepEqual(
      compiled.projectCredentials.get(project.id)!.map(({ apiKey }) => apiKey),
      ['sk-own'],
    )
  })

  it("never takes the shared keys for a project's own that do not open", () => {
    const [opens, doesNot, both] = [newId(), newId(), newId()]
    const credential = (projectId: string | null, env: string) => ({
      id: newId(),
      projectId,
      fingerprint: 'f',
      secret: { env },
    })
    const used = provider({
      credentials: [
        credential(null, 'SET_API_KEY'),
        credential(opens, 'SET_API_KEY'),
        credential(doesNot, 'UNSET_API_KEY'),
        credential(both, 'UNSET_API_KEY'),
        credential(both, 'SET_API_KEY'),
      ],
    })
    const compiled = providerIn(snapshot({ providers: [used], aliases: [alias('a', null, [used])] }))
    const sources = (projectId: string) => credentialsFor(compiled, projectId).map(({ source }) => source)
    assert.deepEqual(sources(newId()), ['PROVIDER'])
    assert.deepEqual(sources(opens), ['PROJECT'])
    assert.deepEqual(sources(both), ['PROJECT'])
    assert.deepEqual(sources(doesNot), [])
    assert.equal(compiled.needsCredential, true, 'and so its requests do not go there')
  })

  it('never asks a provider without a key that has some, none of which opens', () => {
    const used = provider({
      credentials: [{ id: newId(), projectId: null, fingerprint: 'f', secret: { env: 'OTHER' } }],
    })
    const compiled = providerIn(snapshot({ providers: [used], aliases: [alias('a', null, [used])] }))
    assert.equal(compiled.needsCredential, true)
  })
})
