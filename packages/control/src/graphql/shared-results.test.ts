/** Whose answer is another's, too. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { buildSchema, parse, type ExecutionArgs, type ExecutionResult } from 'graphql'

import { Scope } from '../access/scope.ts'
import { subscribeShared } from './shared-results.ts'

const schema = buildSchema(`
  type Query { none: Int }
  type Subscription { requestFeed(filter: String): Event instructions: Event }
  type Event { made(by: String = "default"): Int! dropped: Int! }
`)

/** What subscribers are told of one event; `made` counts how often it was made. */
async function told(
  ...asked: { query: string; variables?: Record<string, unknown>; projects?: string[]; dropped?: number }[]
) {
  let made = 0
  const message = { made: () => ++made }
  const answers: unknown[] = []
  for (const { query, variables, projects, dropped = 0 } of asked) {
    async function* events(): AsyncGenerator {
      const event = { ...message, dropped }
      yield { message, dropped, requestFeed: event, instructions: event }
    }
    const args: ExecutionArgs = {
      schema,
      document: parse(query),
      rootValue: { requestFeed: events, instructions: events },
      contextValue: { scope: new Scope(projects ?? null) },
      ...(variables && { variableValues: variables }),
    }
    const subscription = (await subscribeShared(args)) as AsyncIterableIterator<ExecutionResult>
    const { data } = (await subscription.next()).value as ExecutionResult
    answers.push({ ...(Object.values(data!)[0] as object) })
  }
  return answers
}

test('an answer is made once for those who ask alike, whatever they filter by', async () => {
  const answers = await told(
    { query: 'subscription { requestFeed(filter: "a") { made } }' },
    { query: 'subscription ($b: String) { requestFeed(filter: $b) { made } }', variables: { b: 'b' } },
  )
  assert.deepEqual(answers, [{ made: 1 }, { made: 1 }])
})

test('an answer that tells how things stand now is made for each', async () => {
  const query = 'subscription { instructions { made } }'
  assert.deepEqual(await told({ query }, { query }), [{ made: 1 }, { made: 2 }])
})

const ARGUED = 'subscription ($by: String) { requestFeed { made(by: $by) } }'
for (const [what, one, other] of [
  [
    'fields',
    { query: 'subscription { requestFeed { made } }' },
    { query: 'subscription { requestFeed { made dropped } }' },
  ],
  ['values', { query: ARGUED, variables: { by: 'a' } }, { query: ARGUED, variables: { by: 'b' } }],
  ['a value that is absent and one that is null', { query: ARGUED }, { query: ARGUED, variables: { by: null } }],
  [
    'rights',
    { query: 'subscription { requestFeed { made } }' },
    { query: 'subscription { requestFeed { made } }', projects: ['p'] },
  ],
  [
    'projects',
    { query: 'subscription { requestFeed { made } }', projects: ['p'] },
    { query: 'subscription { requestFeed { made } }', projects: ['q'] },
  ],
  [
    'losses',
    { query: 'subscription { requestFeed { made } }' },
    { query: 'subscription { requestFeed { made } }', dropped: 1 },
  ],
] as const) {
  test(`other ${what} have an answer of their own`, async () => {
    const answers = (await told(one as never, other as never)) as { made: number }[]
    assert.deepEqual(
      answers.map(({ made }) => made),
      [1, 2],
    )
  })
}
