/** A request that is being served, as an operator sees it, and its end: through the embedded database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { useScene } from '../helpers/scene.ts'
import { behaviours, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { TOLD_MS } from './live/operator.ts'

const scene = useScene()

const LIST = '{ it: inFlightRequests { id model project { name } token { name } provider { name } outputTokens } }'
const CANCEL = 'mutation ($id: ID!) { it: cancelRequest(id: $id) }'

test('is listed with what it belongs to, and ended in time', async () => {
  const { control } = scene.gateway
  scene.upstream.next(behaviours.stall('mid-body'))
  const answer = await scene.open(scene.body(scene.alias, { stream: true }))
  await answer.until(WORDS[1]!)
  const id = String(answer.headers['x-millrace-id'])
  // A proxy that has just started may not have reported itself yet.
  const found = await waitFor(async () => {
    const { it } = await control.gql(LIST)
    return it.length > 0 && it
  })
  assert.deepEqual(found, [
    {
      id,
      model: scene.alias,
      project: { name: 'default' },
      token: { name: 'default' },
      provider: { name: 'scene-provider' },
      outputTokens: 2,
    },
  ])
  const rest = within(TOLD_MS, 'the error event', answer.rest())
  assert.deepEqual(await control.gql(CANCEL, { id }), { it: true })
  const { body } = await rest
  assert.match(body.toString(), /"code":"admin_cancelled"/)
  const { status, errorClass, httpStatus } = await scene.gateway.record(String(answer.headers['x-request-id']))
  assert.deepEqual([status, errorClass, httpStatus], ['CANCELLED', 'admin_cancelled', 499])
  assert.deepEqual(await control.gql(LIST), { it: [] })
  assert.deepEqual(await control.gql(CANCEL, { id }), { it: false })
})
