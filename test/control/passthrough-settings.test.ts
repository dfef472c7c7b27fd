/** Which paths a provider is asked for as they come, as an operator sets it, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

const BASE = { kind: 'OPENAI_COMPATIBLE', baseUrl: 'http://127.0.0.1:9/v1' }

await onEachDatabase((stage) => {
  const { ask, refused, provider, publishedProvider } = operatorOf(stage)

  test('settings.passthrough is kept, merged, cleared, and told to proxies', async () => {
    const passthrough = { endpoints: ['/v1/files*', '/v1/rerank'], methods: ['GET'] }
    const { id, settings } = await provider({ ...BASE, settings: { passthrough } })
    assert.deepEqual(settings, { passthrough })
    assert.deepEqual((await publishedProvider(id)).settings, { passthrough })
    const update = async (change: object | null) =>
      (await ask(documents.UPDATE_PROVIDER, { id, input: { settings: change } })).settings
    assert.deepEqual(await update({ passthrough: { endpoints: [] } }), {
      passthrough: { endpoints: [], methods: ['GET'] },
    })
    assert.deepEqual(await update({ passthrough: { methods: null } }), { passthrough: { endpoints: [] } })
    assert.deepEqual(await update({ passthrough: null }), {})
  })

  for (const [passthrough, field] of [
    [{ endpoints: ['/files'] }, 'endpoints.0'],
    [{ endpoints: ['/v1/a', '/v2/b'] }, 'endpoints.1'],
    [{ endpoints: [''] }, 'endpoints.0'],
    [{ endpoints: ['/v1/a?b'] }, 'endpoints.0'],
    [{ endpoints: '/v1/*' }, 'endpoints'],
    [{ endpoints: Array.from({ length: 1_001 }, (_, i) => `/v1/${i}`) }, 'endpoints'],
    [{ methods: ['get'] }, 'methods.0'],
    [{ methods: 'GET' }, 'methods'],
    [{ paths: [] }, 'paths'],
    [true, ''],
  ] as const) {
    test(`input is refused: ${JSON.stringify(passthrough).slice(0, 60)}`, async () => {
      const input = { name: uniqueName('bad'), ...BASE, settings: { passthrough } }
      const path = `input.settings.passthrough${field === '' ? '' : `.${field}`}`
      await refused('BAD_USER_INPUT', path, documents.CREATE_PROVIDER, { input })
    })
  }

  test('a SIMULATED provider takes none', async () => {
    const input = { name: uniqueName('bad'), kind: 'SIMULATED', settings: { passthrough: { endpoints: [] } } }
    await refused('BAD_USER_INPUT', 'input.settings.passthrough', documents.CREATE_PROVIDER, { input })
  })
})
