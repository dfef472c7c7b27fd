import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { countTokens } from './count-tokens.ts'
import { messages } from './messages.ts'

const SONNET = 'claude-sonnet-4-5'
const OFF = { type: 'disabled' }
const BUDGET = { type: 'enabled', budget_tokens: 2_000 }
const OWN = { type: 'thinking', thinking: 'a', signature: 'abc' }
const FOREIGN = { type: 'thinking', thinking: 'b', signature: 'mr1.gemini.abc' }
const CALL = { type: 'tool_use', id: 't', name: 'f', input: {} }
const RESULT = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'x' }] }

/** A conversation whose last turn has these answers, each with the results of its calls. */
function body(thinking: object, ...answers: object[][]): string {
  const turn = answers.flatMap((content) => [{ role: 'assistant', content }, RESULT])
  return JSON.stringify({
    model: SONNET,
    max_tokens: 4_000,
    thinking,
    messages: [{ role: 'user', content: 'x' }, ...turn],
  })
}

function encoded(text: string, endpoint = messages): { text: string; dropped: string[] } {
  const dropped: string[] = []
  return { text: endpoint.parse(Buffer.from(text)).encode(SONNET, dropped).toString(), dropped }
}

describe('a turn that another provider began, on its way to Anthropic', () => {
  test('goes on without thoughts', () => {
    assert.deepEqual(encoded(body(BUDGET, [FOREIGN, CALL])), { text: body(OFF, [CALL]), dropped: ['thinking'] })
    // While it does not think, the API refuses what it thought in the same turn.
    assert.deepEqual(encoded(body(BUDGET, [FOREIGN, CALL], [OWN, CALL])), {
      text: body(OFF, [CALL], [CALL]),
      dropped: ['thinking'],
    })
  })

  test('is counted without thoughts, too', () => {
    const counted = encoded(body(BUDGET, [FOREIGN, CALL]), countTokens)
    assert.deepEqual(counted, { text: body(OFF, [CALL]), dropped: ['thinking'] })
  })

  test('is put to each model by itself, and told of each time', () => {
    const call = messages.parse(Buffer.from(body(BUDGET, [FOREIGN, CALL])))
    for (const [model, kept, told] of [
      [SONNET, OFF, ['thinking']],
      ['claude-opus-4-8', BUDGET, []],
      [SONNET, OFF, ['thinking']],
    ] as const) {
      const dropped: string[] = []
      const { thinking } = JSON.parse(call.encode(model, dropped).toString())
      assert.deepEqual([thinking, dropped], [kept, told])
    }
  })

  test('keeps every byte that has nothing to do with them', () => {
    const around = (model: string, thinking: object, turn: string) =>
      `{ "x": "\\u00fc ü", "messages": ${JSON.stringify(JSON.parse(turn).messages)} , "n": 1.0,\n"thinking":${JSON.stringify(thinking)} ,"model" : "${model}", "m": [ ] }`
    assert.equal(
      encoded(around('alias', BUDGET, body(BUDGET, [FOREIGN, CALL]))).text,
      around(SONNET, OFF, body(OFF, [CALL])),
    )
  })

  test('goes on as the client wants where Anthropic lets it', () => {
    const adaptive = { type: 'adaptive' }
    assert.deepEqual(encoded(body(adaptive, [FOREIGN, CALL])), { text: body(adaptive, [CALL]), dropped: [] })
    assert.deepEqual(encoded(body(OFF, [FOREIGN, CALL])), { text: body(OFF, [CALL]), dropped: [] })
    const own = body(BUDGET, [OWN, CALL], [FOREIGN, CALL])
    assert.deepEqual(encoded(own), { text: body(BUDGET, [OWN, CALL], [CALL]), dropped: [] })
    const clients = body(BUDGET, [CALL])
    assert.deepEqual(encoded(clients), { text: clients, dropped: [] })
  })
})
