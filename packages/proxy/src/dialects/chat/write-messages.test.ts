import assert from 'node:assert/strict'
import { test } from 'node:test'

import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import type { Message } from '../../canonical/request.ts'
import { COMPATIBLE_WIRE } from './wire-options.ts'
import { writeMessages } from './write-messages.ts'

test('messages have names where the provider knows them', () => {
  const messages: Message[] = [
    { role: 'user', name: 'ann', content: [{ type: 'text', text: 'a' }] },
    { role: 'assistant', name: 'bob', content: [{ type: 'text', text: 'b' }] },
  ]
  const namesOf = (names: 'any' | 'user' | 'tool'): unknown[] =>
    writeMessages({ ...PLAIN_REQUEST, messages }, { ...COMPATIBLE_WIRE, names }).map(({ name }) => name)
  assert.deepEqual(namesOf('any'), ['ann', 'bob'])
  assert.deepEqual(namesOf('user'), ['ann', undefined])
  assert.deepEqual(namesOf('tool'), [undefined, undefined])
})
