import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import { NO_PARAMS, type ChatRequest } from '../../canonical/request.ts'
import { converseCountWire as wire } from './count.ts'

const ASKED: ChatRequest = {
  ...PLAIN_REQUEST,
  system: [{ type: 'text', text: 'Be kind.' }],
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
  params: { ...NO_PARAMS, temperature: 0.5, maxTokens: 5 },
  unknown: ['x'],
}

describe('converseCountWire', () => {
  it('asks the model itself, not its profile', () => {
    const inArn = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.'
    for (const profile of ['us.', 'global.', 'us-gov.', '', inArn]) {
      assert.equal(
        wire.pathOf(`${profile}anthropic.claude-x-v1:0`, false),
        '/model/anthropic.claude-x-v1%3A0/count-tokens',
      )
    }
    const arn = 'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x'
    assert.equal(wire.pathOf(arn, false), `/model/${encodeURIComponent(arn)}/count-tokens`)
  })

  it('says what counts, and reads the count', () => {
    const encoded = wire.encode(ASKED, { model: 'anthropic.claude-sonnet-4-20250514-v1:0', stream: false })
    assert.deepEqual(JSON.parse(encoded.body), {
      input: {
        converse: { messages: [{ role: 'user', content: [{ text: 'Hello' }] }], system: [{ text: 'Be kind.' }] },
      },
    })
    assert.deepEqual(wire.read({ inputTokens: 7 }, encoded), { kind: 'count', inputTokens: 7 })
    assert.equal(wire.read({ tokens: 7 }, encoded), null)
  })
})
