import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chatConversation, chatFeatures, chatUser } from './chat-features.ts'

test('what routing asks of a chat completion', () => {
  const image = { role: 'user', content: [{ type: 'text', text: '' }, { type: 'image_url' }] }
  for (const [body, features] of [
    [{}, { maxTokens: null, tools: false, images: false }],
    [
      { max_tokens: 5, tools: [], messages: [{ content: 'text' }] },
      { maxTokens: 5, tools: false, images: false },
    ],
    [
      { max_tokens: 5, max_completion_tokens: 7, tools: [{}] },
      { maxTokens: 7, tools: true, images: false },
    ],
    [
      { functions: [{}], messages: [{ content: 'x' }, image] },
      { maxTokens: null, tools: true, images: true },
    ],
    [
      { max_tokens: '5', tools: {}, messages: [null, { content: [null] }] },
      { maxTokens: null, tools: false, images: false },
    ],
  ] as const)
    assert.deepEqual(chatFeatures(body), features, JSON.stringify(body))
})

test('whom it is for, and what it belongs to', () => {
  assert.equal(chatUser({ user: 'ann', safety_identifier: 'hash' }), 'ann')
  assert.equal(chatUser({ user: '', safety_identifier: 'hash' }), 'hash')
  assert.equal(chatUser({ user: 5 }), null)
  assert.equal(chatConversation({ prompt_cache_key: 'key', conversation: 'other' }), 'key')
  assert.equal(chatConversation({ conversation: 'other' }), 'other')
  assert.equal(chatConversation({ conversation: { id: 'x' } }), null)
})
