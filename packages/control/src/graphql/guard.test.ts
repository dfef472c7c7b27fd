import assert from 'node:assert/strict'
import { test } from 'node:test'

import { buildSchema } from 'graphql'

import { guard } from './guard.ts'

test('a root field that declares no role stops the start', () => {
  const schema = buildSchema('type Query { open: Int }')
  assert.throws(() => guard(schema), /Query\.open declares no role/)
})

test('every root field of a subscription must declare one, too', () => {
  const schema = buildSchema('type Query { a: Int } type Subscription { b: Int }')
  schema.getQueryType()!.getFields()['a']!.extensions = { roles: ['ADMIN'] }
  assert.throws(() => guard(schema), /Subscription\.b declares no role/)
})
