import assert from 'node:assert/strict'
import { it } from 'node:test'

import { DEFAULT_CACHE } from './cache.ts'
import { newId } from './id.ts'
import { DEFAULT_RETRY, DEFAULT_STICKY } from './routing/policies.ts'
import { readAlias, type SnapshotAlias } from './snapshot.ts'

const alias: SnapshotAlias = {
  id: newId(),
  name: 'a',
  projectId: null,
  enabled: true,
  strategy: 'WEIGHTED',
  sticky: DEFAULT_STICKY,
  retry: DEFAULT_RETRY,
  hedge: null,
  unknownParameters: 'DROP',
  cache: { ...DEFAULT_CACHE, enabled: true },
  timeouts: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  routes: [],
}

it('reads an alias of a control plane, or of a file, that knew no cache: it has none', () => {
  assert.deepEqual(readAlias(alias, 0), alias)
  const { cache: _, ...rest } = alias
  assert.deepEqual(readAlias(rest, 0), { ...alias, cache: DEFAULT_CACHE })
})

it('refuses a cache policy that it does not understand', () => {
  for (const cache of [null, {}, { ...DEFAULT_CACHE, ttlSeconds: 0 }, { ...DEFAULT_CACHE, moon: 'full' }])
    assert.throws(() => readAlias({ ...alias, cache }, 3), /aliases\.3\.cache/)
})
