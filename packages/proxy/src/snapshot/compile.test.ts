import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  credentialContext,
  DEFAULT_TIMEOUTS,
  newId,
  newMasterKey,
  parseMasterKey,
  parseSnapshot,
  seal,
  type Snapshot,
  type SnapshotProvider,
} from '@millrace/shared'
import { pino } from 'pino'

import { Pools } from '../upstream/pools.ts'
import { compile } from './compile.ts'
import { findAlias } from './compiled.ts'

const masterKey = parseMasterKey(newMasterKey())
const context = {
  pools: new Pools(true),
  masterKey,
  env: { SET_API_KEY: 'from-env', MILLRACE_API_KEY: 'never', OTHER: 'not allowed' },
  envAllow: ['*_API_KEY'],
  log: pino({ level: 'silent' }),
}

const project = { id: newId(), name: 'default', active: true }

function provider(over: Partial<SnapshotProvider> = {}): SnapshotProvider {
  const base = { id: newId(), name: 'p', kind: 'OPENAI_COMPATIBLE', baseUrl: 'http://127.0.0.1:9/v1', enabled: true }
  return { ...base, timeouts: DEFAULT_TIMEOUTS, settings: {}, credentials: [], ...over }
}

function alias(name: string, projectId: string | null, providers: SnapshotProvider[]) {
  const routes = providers.map(({ id }) => ({
    id: newId(),
    providerId: id,
    providerModel: null,
    priority: 0,
    weight: 1,
    enabled: true,
  }))
  return {
    id: newId(),
    name,
    projectId,
    enabled: true,
    strategy: 'WEIGHTED',
    createdAt: new Date().toISOString(),
    routes,
  }
}

function snapshot(over: Partial<Snapshot>): Snapshot {
  const token = { id: newId(), projectId: project.id, digest: 'a'.repeat(64), revoked: false, expiresAt: null }
  return parseSnapshot({
    format: 1,
    revision: 3,
    providers: [],
    aliases: [],
    projects: [project],
    tokens: [token],
    ...over,
  })
}

describe('compile', () => {
  it('prefers the aliases of a project to global ones of the same name', () => {
    const other = { id: newId(), name: 'other', active: true }
    const used = provider()
    const compiled = compile(
      snapshot({
        providers: [used],
        projects: [project, other],
        aliases: [alias('a', null, [used]), alias('a', project.id, []), alias('b', null, [used])],
        tokens: [project, other].map(({ id }, i) => ({
          id: newId(),
          projectId: id,
          digest: `${i}`.repeat(64),
          revoked: false,
          expiresAt: null,
        })),
      }),
      context,
    )
    const own = compiled.tokens.get('0'.repeat(64))!.project
    const others = compiled.tokens.get('1'.repeat(64))!.project
    assert.equal(findAlias(own, 'a')!.routes.length, 0)
    assert.equal(findAlias(others, 'a')!.routes.length, 1)
    assert.ok(findAlias(own, 'b'))
    assert.equal(findAlias(own, 'b'), findAlias(others, 'b'))
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
    const { routes } = findAlias(compiled.tokens.get('a'.repeat(64))!.project, 'a')!
    assert.deepEqual(
      routes.map((route) => route.provider.id),
      [good.id],
    )
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
    const [compiled] = compile(snapshot({ providers: [used] }), context).providers
    assert.deepEqual(
      compiled!.sharedCredentials.map(({ apiKey }) => apiKey),
      ['from-env'],
    )
    assert.deepEqual(
      compiled!.projectCredentials.get(project.id)!.map(({ apiKey }) => apiKey),
      ['sk-own'],
    )
  })

  it('never asks a provider without a key that has some, none of which opens', () => {
    const compiled = compile(
      snapshot({
        providers: [
          provider({ credentials: [{ id: newId(), projectId: null, fingerprint: 'f', secret: { env: 'OTHER' } }] }),
        ],
      }),
      context,
    )
    assert.equal(compiled.providers[0]!.needsCredential, true)
  })

  it('refuses a snapshot that contradicts itself', () => {
    assert.throws(() => compile(snapshot({ projects: [] }), context), /malformed snapshot: token/)
  })
})
