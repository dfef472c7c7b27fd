import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mayHoldSealed } from '../../canonical/signature.ts'
import { withoutForeignThoughts } from './native-body.ts'

const SEALED = { type: 'reasoning.text', text: 'hm', signature: 'mr1.messages.abc', index: 0 }
const OWN = { type: 'reasoning.text', text: 'hm', signature: 'abc', index: 0 }

test('thoughts of other providers leave a conversation, and nothing else does', () => {
  const asked = { role: 'user', content: 'mr1.messages.abc' }
  const answered = { role: 'assistant', content: 'yes', reasoning_content: 'hm', reasoning_details: [OWN, SEALED] }
  const messages = [asked, answered, { role: 'user', content: 'and?' }]
  assert.ok(mayHoldSealed(JSON.stringify(messages)))
  assert.deepEqual(withoutForeignThoughts(messages), [asked, { role: 'assistant', content: 'yes' }, messages[2]])
  const redacted = {
    role: 'assistant',
    content: 'yes',
    thinking_blocks: [{ type: 'redacted_thinking', data: 'mr1.converse.x' }],
  }
  assert.deepEqual(withoutForeignThoughts([redacted]), [{ role: 'assistant', content: 'yes' }])
})

test('a conversation without any stays as it is', () => {
  for (const messages of [
    [{ role: 'assistant', content: 'yes', reasoning_content: 'hm', reasoning_details: [OWN] }],
    [{ role: 'user', content: 'mr1.' }, null, 'mr1.'],
    'mr1.',
  ]) {
    assert.equal(withoutForeignThoughts(messages), null)
  }
})
