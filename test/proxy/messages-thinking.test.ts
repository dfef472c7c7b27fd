/** Turns of a conversation that another provider began, asked of Anthropic as they come: it would refuse to think on in them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { AliasOptions } from '../helpers/configuration.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import { raw } from '../helpers/upstream/answers.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'

const scene = useScene()
const ANSWER = raw(
  JSON.stringify({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'x',
    content: [{ type: 'text', text: 'Hello.' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 2, output_tokens: 1 },
    input_tokens: 2,
  }),
)
const OFF = { type: 'disabled' }
const BUDGET = { type: 'enabled', budget_tokens: 2_000 }
const FOREIGN = { type: 'thinking', thinking: 'c', signature: 'mr1.gemini.abc' }
const CALL = { type: 'tool_use', id: 'a', name: 'f', input: {} }

/** A turn that goes on with what a tool gave. */
function body(model: string, thinking: object, ...content: object[]) {
  return {
    model,
    max_tokens: 9_000,
    thinking,
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'x' }] },
    ],
  }
}

async function post(sent: object, path = '/v1/messages') {
  const answer = await scene.gateway.post(path, sent)
  const text = await answer.text()
  return { status: answer.status, text, dropped: answer.headers.get('x-millrace-dropped-params') }
}

/** A model that thinks by a budget, and one that is asked where it fails, and thinks as it sees fit. */
function models(options: AliasOptions = {}): Promise<Routed<'claude-sonnet-4-5' | 'claude-opus-4-8'>> {
  const provider = { kind: 'ANTHROPIC' } as const
  return scene.routed(
    {
      'claude-sonnet-4-5': { provider, behaviour: ANSWER },
      'claude-opus-4-8': { provider, behaviour: ANSWER, priority: 1 },
    },
    options,
  )
}

describe('a turn that another provider began', () => {
  test('goes on without thoughts, of which its client is told, and is counted so', async () => {
    const routed = await models()
    const name = routed.nameOf('claude-sonnet-4-5')
    for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
      const { status, dropped } = await post(body(routed.model, BUDGET, FOREIGN, CALL), path)
      assert.deepEqual([status, dropped], [200, 'thinking'])
      assert.deepEqual(routed.seen('claude-sonnet-4-5').at(-1)!.json, body(name, OFF, CALL))
    }
    // What came without thoughts is between the client and Anthropic.
    assert.equal((await post(body(routed.model, BUDGET, CALL))).dropped, null)
    assert.deepEqual(routed.seen('claude-sonnet-4-5').at(-1)!.json, body(name, BUDGET, CALL))
  })

  test('is told of as it went to who answered', async () => {
    const routed = await models()
    routed.behaves('claude-sonnet-4-5', behaviours.serverError())
    const { status, dropped } = await post(body(routed.model, BUDGET, FOREIGN, CALL))
    assert.deepEqual([status, dropped], [200, null])
    assert.deepEqual(routed.seen('claude-sonnet-4-5')[0]!.json.thinking, OFF)
    assert.deepEqual(routed.seen('claude-opus-4-8')[0]!.json.thinking, BUDGET)
  })

  test('is asked of nobody who would not think where nothing may be left out', async () => {
    const routed = await models({ unknownParameters: 'REFUSE' })
    assert.equal((await post(body(routed.model, BUDGET, FOREIGN, CALL))).status, 200)
    assert.deepEqual([routed.calls('claude-sonnet-4-5'), routed.calls('claude-opus-4-8')], [0, 1])
  })
})
