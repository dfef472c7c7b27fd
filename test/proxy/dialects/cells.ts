/** Which endpoint can be asked of which kind of provider, found by asking. */
import assert from 'node:assert/strict'

import type { ROUTED_ENDPOINTS } from '@millrace/shared'

import { PATHS, question } from './clients.ts'
import { aliasOf, embeddingAliasOf, type Kind } from './kinds.ts'
import { COUNTED, speaking } from './provider.ts'
import type { Json } from './said.ts'
import type { DialectScene } from './scene.ts'

export type EndpointPath = (typeof ROUTED_ENDPOINTS)[number]

export const CELLS = ['native', 'translated', 'estimated', 'refused'] as const
export type Cell = (typeof CELLS)[number]

/** A request with something in it that only its own API knows. */
function requestOf(path: EndpointPath, kind: Kind): Json {
  const model = aliasOf(kind)
  const own = { 'own-member': [1.0, null] }
  if (path === '/v1/embeddings') return { model: embeddingAliasOf(kind), input: 'Some text.', ...own }
  if (path === '/v1/messages/count_tokens') return { model, messages: [{ role: 'user', content: 'Hello.' }], ...own }
  const client = Object.entries(PATHS).find(([, one]) => one === path)![0] as keyof typeof PATHS
  return question(client, model, own)
}

/** Asks, and says how it went; fails where it went in no way that is meant. */
export async function cellOf(scene: DialectScene, path: EndpointPath, kind: Kind): Promise<Cell> {
  scene.upstream.otherwise = speaking()
  const asked = scene.upstream.requests.length
  const body = requestOf(path, kind)
  const answer = await scene.post(path, body)
  if (answer.status === 400) {
    const { error } = JSON.parse(answer.text)
    if (path.startsWith('/v1/messages')) assert.equal(error.type, 'invalid_request_error', answer.text)
    else assert.deepEqual([error.code, error.param], ['unsupported_endpoint', 'model'], answer.text)
    assert.equal(scene.upstream.requests.length, asked, 'a provider is not asked for what is refused')
    return 'refused'
  }
  assert.equal(answer.status, 200, `${path} at ${kind}: ${answer.text}`)
  if (path === '/v1/messages/count_tokens' && JSON.parse(answer.text).input_tokens !== COUNTED) {
    assert.equal(scene.upstream.requests.length, asked, 'what is estimated is asked of nobody')
    return 'estimated'
  }
  // What is translated says which members no other API has.
  if (kind === 'SIMULATED') return answer.headers['x-millrace-dropped-params'] === undefined ? 'native' : 'translated'
  assert.equal(scene.upstream.requests.length, asked + 1, 'the provider is asked once')
  return 'own-member' in Object(scene.upstream.last.json) ? 'native' : 'translated'
}
