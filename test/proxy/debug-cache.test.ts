/** Debug captures and what is given again: captured answers are stored by no cache, and stored ones are captured. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { UPSTREAM_KEY } from '../helpers/gateway.ts'
import { send, type Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { addCached, joining } from './cache/caching.ts'
import { Debugging } from './debug/debugging.ts'

const scene = useScene({}, async ({ gateway, upstream }) => {
  debugging = new Debugging(gateway)
  const settings = { passthrough: { endpoints: ['/v1/things/*'] } }
  await gateway.addProvider(upstream.baseUrl, { name: 'passing', settings })
})
let debugging: Debugging

test('an answer that is captured is not stored, nor one that is shared with who is; hits are captured', async () => {
  const key = Buffer.from(UPSTREAM_KEY).toString('hex')
  const cached = await addCached(scene, { behaviour: behaviours.answer({ words: ['the key is ', key] }) })
  await debugging.while({}, async () => {
    await cached.outcome('MISS')
    await cached.outcome('MISS')
  })
  const stored = await cached.outcome('MISS')
  const hit = await debugging.while({}, () => cached.outcome('HIT'))
  assert.equal((await debugging.of(hit)).responseBody, stored.text.replace(key, '[redacted]'))
  assert.equal(cached.calls, 3)

  const { promise, resolve } = Promise.withResolvers<void>()
  const { id, secret } = await scene.gateway.addToken()
  const shared = await addCached(scene, {
    cache: { shareAcrossProject: true, coalesce: true },
    behaviour: behaviours.onceReleased(promise, behaviours.answer()),
  })
  await scene.gateway.untilServed()
  const answers = await debugging.while({ tokens: [id] }, async () => {
    const first = shared.ask()
    await waitFor(() => shared.calls === 1)
    const second = await joining(scene.gateway.proxy, 1, () => [shared.ask({}, { token: secret })])
    resolve()
    return [await first, await second[0]!]
  })
  assert.deepEqual(
    answers.map(({ headers }) => headers['x-cache']),
    ['MISS', 'COALESCED'],
  )
  assert.equal((await debugging.of(answers[1]!)).responseBody, answers[1]!.text)
  await shared.outcome('MISS')
  await shared.outcome('HIT')
})

test('what passes through is not stored either while it is captured', async () => {
  scene.upstream.on('', behaviours.raw('page', { headers: { 'cache-control': 'public, max-age=60' } }))
  const { baseUrl, token } = scene.gateway
  const get = (): Promise<Answer> =>
    send(`${baseUrl}/things/cached`, { method: 'GET', headers: { authorization: `Bearer ${token}` } })
  const status = ({ headers }: Answer): string => String(headers['cache-status'])
  await debugging.while({}, async () => {
    for (let i = 0; i < 2; i++) assert.match(status(await get()), /fwd=uri-miss; fwd-status=200$/)
  })
  assert.match(status(await get()), /stored$/)
  assert.equal((await get()).headers['x-cache'], 'HIT')
})
