import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ENDPOINTS } from './index.ts'

const BODY = { model: 'm', messages: [{ role: 'user', content: 'x' }], input: 'x', max_tokens: 9, stream: true }

/** What is held by an object, and by what that holds. */
function heldBy(value: unknown, seen = new Set<unknown>()): Set<unknown> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return seen
  seen.add(value)
  for (const one of Object.values(value)) heldBy(one, seen)
  return seen
}

for (const endpoint of ENDPOINTS.filter(({ task }) => task === 'chat')) {
  test(`a stream for ${endpoint.path} does not keep its request`, () => {
    const body = { ...BODY, ...(endpoint.path === '/v1/completions' && { prompt: 'x' }) }
    const request = endpoint.parse(Buffer.from(JSON.stringify(body))).canonical()
    const writer = endpoint.writer.stream({ model: 'm', id: 'an-id', created: 1, request, usageWanted: true })
    const start = { id: '', created: null, usage: null, serviceTier: null, systemFingerprint: null }
    assert.notEqual(
      writer.take({ type: 'start', ...start }) + writer.take({ type: 'text', choice: 0, block: 0, text: 'x' }),
      '',
    )
    const held = heldBy(writer)
    assert.ok(request.kind === 'chat')
    for (const large of [request, request.messages]) assert.equal(held.has(large), false)
  })
}
