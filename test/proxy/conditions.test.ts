/** Routes that take only some requests: what a condition may ask of one, and the split by user. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { addRouted, type Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'

interface Ask {
  readonly body?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

interface Case {
  readonly condition: Readonly<Record<string, unknown>>
  readonly meets: readonly Ask[]
  readonly fails: readonly Ask[]
}

const metadata = (value: object): Ask => ({ headers: { 'x-millrace-metadata': JSON.stringify(value) } })
const header = (name: string, value: string): Ask => ({ headers: { [name]: value } })
const body = (value: Readonly<Record<string, unknown>>): Ask => ({ body: value })
const content = (parts: unknown): Ask => body({ messages: [{ role: 'user', content: parts }] })
const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }]
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
const nothing: Ask = {}

const cases: Readonly<Record<string, Case>> = {
  stream: { condition: { stream: true }, meets: [body({ stream: true })], fails: [nothing, body({ stream: false })] },
  endpoint: { condition: { endpoint: '/v1/chat/completions' }, meets: [nothing], fails: [] },
  'a header': {
    condition: { 'headers.x-tier': { $in: ['gold', 'silver'] } },
    meets: [header('x-tier', 'gold'), header('X-Tier', 'silver')],
    fails: [nothing, header('x-tier', 'tin')],
  },
  'a header of a name that every object has': {
    condition: { $or: [{ 'headers.constructor': { $exists: true } }, { 'headers.__proto__': { $exists: true } }] },
    meets: [header('constructor', 'x')],
    fails: [nothing],
  },
  metadata: {
    condition: { 'metadata.plan.name': { $eq: 'pro' } },
    meets: [metadata({ plan: { name: 'pro' } })],
    fails: [nothing, metadata({ plan: 'pro' }), metadata({ plan: { name: 'team' } })],
  },
  'metadata that is not there': {
    condition: { 'metadata.plan': { $exists: false } },
    meets: [nothing, metadata({ team: 'a' })],
    fails: [metadata({ plan: 'pro' })],
  },
  max_tokens: {
    condition: { max_tokens: { $gt: 1_000, $lte: 4_000 } },
    meets: [body({ max_tokens: 4_000 }), body({ max_completion_tokens: 1_001 })],
    fails: [nothing, body({ max_tokens: 1_000 }), body({ max_tokens: 4_001 })],
  },
  tools: { condition: { tools: true }, meets: [body({ tools })], fails: [nothing, body({ tools: [] })] },
  images: {
    condition: { images: true },
    meets: [content([{ type: 'text', text: 'What is this?' }, image])],
    fails: [nothing, content([{ type: 'text', text: 'image_url' }])],
  },
  'estimated input tokens': {
    condition: { estimated_input_tokens: { $gte: 1_000 } },
    meets: [content('many words '.repeat(2_000))],
    fails: [nothing],
  },
  'the user': {
    condition: { user: { $glob: 'team-a:*' } },
    meets: [header('x-millrace-user', 'team-a:ann'), body({ user: 'team-a:bob' })],
    fails: [nothing, body({ user: 'team-b:ann' })],
  },
  'the conversation': {
    condition: { conversation: { $ne: null } },
    meets: [header('x-millrace-conversation', 'talk'), body({ prompt_cache_key: 'talk' })],
    fails: [nothing],
  },
  'the project': { condition: { project_name: 'default' }, meets: [nothing], fails: [] },
  'another project': { condition: { project_name: { $nin: ['default'] } }, meets: [], fails: [nothing] },
  'one of several': {
    condition: { $or: [{ stream: true }, { 'headers.x-tier': 'gold' }] },
    meets: [body({ stream: true }), header('x-tier', 'gold')],
    fails: [nothing],
  },
  'all of several, and not one': {
    condition: { $and: [{ stream: true }, { $not: { user: 'ann' } }], 'headers.x-tier': 'gold' },
    meets: [{ body: { stream: true, user: 'bob' }, headers: { 'x-tier': 'gold' } }],
    fails: [
      { body: { stream: true, user: 'ann' }, headers: { 'x-tier': 'gold' } },
      { body: { user: 'bob' }, headers: { 'x-tier': 'gold' } },
      body({ stream: true, user: 'bob' }),
    ],
  },
}

const aliases = new Map<string, Routed<'special' | 'usual'>>()
const scene = useScene({}, async ({ gateway, upstream }) => {
  for (const [name, { condition }] of Object.entries(cases)) {
    aliases.set(name, await addRouted(gateway.control, upstream, { special: { condition }, usual: { priority: 1 } }))
  }
})

describe('a condition on', () => {
  for (const [name, { meets, fails }] of Object.entries(cases)) {
    test(name, async () => {
      const routed = aliases.get(name)!
      const ask = async (one: Ask): Promise<'special' | 'usual'> =>
        routed.by(await scene.chat(scene.body(routed.model, one.body), one.headers))
      for (const one of meets) assert.equal(await ask(one), 'special', JSON.stringify(one).slice(0, 200))
      for (const one of fails) assert.equal(await ask(one), 'usual', JSON.stringify(one).slice(0, 200))
    })
  }
})

test('the decision says that a condition was not met', async () => {
  const routed = aliases.get('stream')!
  const answer = await scene.chat(scene.body(routed.model))
  const { decision } = await scene.gateway.record(String(answer.headers['x-request-id']))
  assert.deepEqual(routed.excluded(decision!), { special: 'CONDITION_NOT_MET', usual: null })
  assert.equal(decision!.fallbackUsed, false, 'the first that was tried has answered')
})

test('no condition met: 503, and nothing goes upstream', async () => {
  const routed = await scene.routed({ only: { condition: { stream: true } } })
  const answer = await scene.chat(scene.body(routed.model))
  assert.equal(answer.status, 503, answer.text)
  assert.match(answer.text, /"code":"no_route_available"/)
  assert.equal(routed.calls('only'), 0)
})

describe('a split by user', () => {
  const users = Array.from({ length: 120 }, (_, i) => `user-${i}`)
  const split = async (routed: Routed<'canary' | 'stable'>): Promise<string[]> =>
    Promise.all(users.map(async (user) => routed.by(await scene.chat(scene.body(routed.model, { user })))))

  test('meets its share, and a user stays where he is, in another alias and after a restart too', async () => {
    const canary = { condition: { user: { $percent: { from: 0, to: 30 } } } }
    const routed = await scene.routed({ canary, stable: { priority: 1 } })
    const again = await scene.routed({ canary, stable: { priority: 1 } })
    const first = await split(routed)
    const share = first.filter((key) => key === 'canary').length
    assert.ok(share >= 18 && share <= 56, `${share} of 120 users`)
    assert.deepEqual(await split(routed), first)
    assert.deepEqual(await split(again), first)
    await scene.gateway.proxy.restart()
    await scene.gateway.untilServed()
    assert.deepEqual(await split(routed), first)
  })

  test('is another one with another salt', async () => {
    const part = (salt: string) => ({ condition: { user: { $percent: { from: 0, to: 50, salt } } } })
    const [a, b] = await Promise.all([
      scene.routed({ canary: part('a'), stable: { priority: 1 } }),
      scene.routed({ canary: part('b'), stable: { priority: 1 } }),
    ])
    assert.notDeepEqual(await split(a), await split(b))
  })
})

test('a canary by weight is a route like any other', async () => {
  const routed = await scene.routed({ canary: { weight: 5 }, stable: { weight: 95 } })
  const answers = await Promise.all(Array.from({ length: 200 }, () => scene.chat(scene.body(routed.model))))
  const { canary = 0 } = routed.count(answers)
  assert.ok(canary >= 1 && canary <= 30, `${canary} of 200`)
})
