/** What providers say that they can be asked for, compared with what control explains. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { DEFAULT_BREAKER, DEFAULT_TIMEOUTS, PROVIDER_KINDS, ROUTED_ENDPOINTS, servesEndpoint } from '@millrace/shared'

import { ENDPOINTS } from '../endpoints/index.ts'
import { Unsupported } from '../translation/unsupported.ts'
import { Pools } from '../upstream/pools.ts'
import { providerOf } from './index.ts'

const SETTINGS: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  AZURE_OPENAI: [{}, { apiVersion: '2024-10-21' }, { apiVersion: '2025-04-01-preview' }],
  OPENAI_COMPATIBLE: [{}, { preset: 'groq' }, { preset: 'mistral' }, { endpoints: ['/v1/messages'] }],
}

describe('what can be asked of a provider is what is explained', () => {
  const pools = new Pools(true)

  it('of each endpoint', () => {
    assert.deepEqual(ENDPOINTS.map(({ path }) => path).sort(), [...ROUTED_ENDPOINTS].sort())
  })

  for (const kind of PROVIDER_KINDS) {
    for (const settings of SETTINGS[kind] ?? [{}]) {
      it(`${kind} ${JSON.stringify(settings)}`, () => {
        const { translations } = providerOf(kind)!.connect(
          {
            id: '00000000-0000-4000-8000-000000000000',
            name: 'one',
            kind,
            baseUrl: 'http://127.0.0.1:9/v1',
            enabled: true,
            timeouts: DEFAULT_TIMEOUTS,
            breaker: DEFAULT_BREAKER,
            forcedBreaker: null,
            breakerSetAt: null,
            direct: false,
            maxConcurrency: null,
            settings: { ...settings },
            access: null,
            credentials: [],
          },
          pools,
        )
        for (const endpoint of ENDPOINTS) {
          const serves = !(translations.of(endpoint, 'model') instanceof Unsupported)
          assert.equal(serves, servesEndpoint({ kind, settings }, endpoint.path), endpoint.path)
        }
      })
    }
  }
})
