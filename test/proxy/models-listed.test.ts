/** `GET /v1/models`: what aliases with a `*` and providers serve, as far as it is known. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { newId, type Snapshot } from '@millrace/shared'

import { ownAlias, ownProvider, ownRoute } from '../helpers/own-snapshot.ts'
import { bearer, startGuarded, type Guarded, type Token } from './access/guarded.ts'

interface Model {
  readonly id: string
  readonly object: string
  readonly created: number
  readonly owned_by: string
}

let guarded: Guarded
let onlyMini: Token
let ofOther: Token

const LOCAL = 'http://127.0.0.1:1/v1'
const CREDENTIAL = { id: newId(), projectId: null, fingerprint: 'f', secret: { env: 'NOT_SET_API_KEY' } }

before(async () => {
  guarded = await startGuarded()
  const provider = (name: string, kind: string, more: Partial<Snapshot['providers'][number]> = {}) =>
    ownProvider({ name, kind, baseUrl: null, credentials: [CREDENTIAL], ...more })
  const openai = provider('open-ai', 'OPENAI', { direct: true })
  const google = provider('google', 'GEMINI')
  const local = provider('local', 'OPENAI_COMPATIBLE', { direct: true, baseUrl: LOCAL })
  const bare = provider('bare', 'OPENAI_COMPATIBLE', { direct: true, baseUrl: LOCAL })
  const off = provider('off', 'OPENAI', { direct: true, enabled: false })
  const route = (to: { readonly id: string }, providerModel: string | null) =>
    ownRoute({ providerId: to.id, providerModel })
  ofOther = guarded.addTokenOfOwnProject()
  onlyMini = guarded.addToken({ models: ['gpt-4o-mini', 'open-ai/o3'] })
  const { projectId } = guarded
  const more = [
    ownAlias({ name: 'gpt-*', routes: [route(openai, null)] }),
    ownAlias({ name: 'gpt-4o', enabled: false, routes: [route(openai, null)] }),
    ownAlias({ name: 'g/*', routes: [route(google, 'gemini-2.5-*')] }),
    ownAlias({ name: 'one-*', routes: [route(openai, 'gpt-4o')] }),
    ownAlias({ name: 'unknown-*', routes: [route(local, null)] }),
    ownAlias({ name: 'off-*', routes: [route(off, null)] }),
    ownAlias({ name: 'named', routes: [route(local, 'our-own')] }),
    ownAlias({ name: 'mine-*', projectId, routes: [route(google, 'gemini-3-*')] }),
  ]
  guarded.change(({ aliases, providers }) => ({
    aliases: [...aliases, ...more],
    providers: [...providers, openai, google, local, bare, off],
  }))
  await guarded.serve()
})
after(() => guarded[Symbol.asyncDispose]())

async function listed(token?: Token): Promise<Model[]> {
  const { status, text } = await guarded.get('/v1/models', token === undefined ? {} : bearer(token))
  assert.equal(status, 200, text)
  return (JSON.parse(text) as { data: Model[] }).data
}

async function ids(token?: Token): Promise<string[]> {
  return (await listed(token)).map(({ id }) => id)
}

describe('the list of models', () => {
  test('has what an alias with a * serves, by the names that clients call it by', async () => {
    const all = await ids()
    for (const id of ['gpt-4o-mini', 'gpt-5', 'g/flash', 'g/pro', 'named', 'own-alias']) assert.ok(all.includes(id), id)
    assert.ok(!all.includes('gemini-2.5-flash'))
    assert.ok(!all.includes('gpt-*') && !all.includes('g/*'))
    assert.ok(all.filter((id) => id.startsWith('gpt-')).length > 20)
  })

  test('has each once, in order, whole', async () => {
    const models = await listed()
    const names = models.map(({ id }) => id)
    assert.deepEqual(names, [...new Set(names)].sort())
    for (const { object, created, owned_by: owner } of models) {
      assert.deepEqual([object, Number.isInteger(created), owner.length > 0], ['model', true, true])
    }
    const owners = new Map(models.map(({ id, owned_by: owner }) => [id, owner]))
    assert.deepEqual(
      ['own-alias', 'gpt-5', 'g/flash', 'open-ai/gpt-5'].map((id) => owners.get(id)),
      ['millrace', 'open-ai', 'google', 'open-ai'],
    )
  })

  test('has the name with the * where nothing is known, or all is one model', async () => {
    const all = await ids()
    for (const id of ['unknown-*', 'one-*']) assert.ok(all.includes(id), id)
  })

  test('has what providers are asked for by their own names', async () => {
    const all = await ids()
    for (const id of ['open-ai/gpt-4o', 'open-ai/text-embedding-3-small', 'local/our-own', 'bare/*']) {
      assert.ok(all.includes(id), id)
    }
    assert.ok(!all.some((id) => id.startsWith('google/')), 'one that may not be asked so')
  })

  test('has nothing that cannot be called', async () => {
    const all = await ids()
    assert.ok(!all.includes('gpt-4o'), 'its own name is switched off')
    assert.ok(!all.some((id) => id.startsWith('off')), 'its provider is switched off')
  })

  test('has of each project its own', async () => {
    assert.ok((await ids()).includes('mine-pro-preview'))
    assert.ok(!(await ids(ofOther)).some((id) => id.startsWith('mine-')))
  })

  test('has what the token may call', async () => {
    assert.deepEqual(await ids(onlyMini), ['gpt-4o-mini', 'open-ai/o3'])
  })

  test('tells each of them by itself too', async () => {
    for (const model of (await listed()).filter((_, i) => i % 40 === 0)) {
      const { status, text } = await guarded.get(`/v1/models/${encodeURIComponent(model.id)}`)
      assert.deepEqual([status, JSON.parse(text)], [200, model])
    }
  })
})
