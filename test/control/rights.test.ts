/** Every operation of the API by every role, bound to a project and not. An operation without its row fails. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'

import type { GraphqlError, Subscription } from '../helpers/graphql.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { CHANGES } from './rights/changing.ts'
import { FOLLOWINGS } from './rights/following.ts'
import { READINGS, told, type Reading } from './rights/reading.ts'
import { BOUND_ROLES, ROLES, WHOSE, World, type RoleName, type Whose } from './rights/world.ts'
import { onEachDatabase } from './suites.ts'

const FIELDS = 'fields { name }'
const INTROSPECTION = `{ it: __schema { queryType { ${FIELDS} } mutationType { ${FIELDS} } subscriptionType { ${FIELDS} } } }`

const LADDER: readonly RoleName[] = ['VIEWER', 'EDITOR', 'ADMIN']

/** Whether a role is one that is let in, or above it. */
function reaches(role: RoleName, roles: readonly RoleName[]): boolean {
  return roles.some((one) => one === role || (LADDER.includes(one) && LADDER.indexOf(role) > LADDER.indexOf(one)))
}

interface Key {
  readonly name: string
  readonly role: RoleName
  readonly bound: boolean
}
const KEYS: readonly Key[] = [
  ...ROLES.map((role) => ({ name: role, role, bound: false })),
  ...BOUND_ROLES.map((role) => ({ name: `${role} bound`, role, bound: true })),
]

/** Whose an answer to this key tells of. */
function expected(
  { tells = [], tellsBound = tells.filter((one) => one !== 'other') }: Reading,
  { bound }: Key,
): Whose[] {
  return bound ? [...tellsBound] : [...tells]
}

await onEachDatabase((stage) => {
  let world: World
  before(async () => {
    world = new World(stage.control)
    await world.build()
  })

  const secretOf = ({ name }: Key): string => {
    const secret = world.keys.get(name)
    assert.ok(secret, name)
    return secret
  }
  const ask = async (key: Key | null, document: string, variables: Record<string, unknown>): Promise<unknown> =>
    (await stage.control.gql(document, variables, key && secretOf(key))).it
  /** The code with which it is refused; nothing of what is somebody else's is said with it. */
  const refusal = (asked: Promise<unknown>, what: string): Promise<string | undefined> =>
    asked.then(
      (answer) => assert.fail(`${what} was answered: ${JSON.stringify(answer)}`),
      (error: GraphqlError) => {
        assert.deepEqual(told(error.message), [], what)
        return error.code
      },
    )

  test('every operation has its row', async () => {
    const { it } = await stage.control.gql(INTROSPECTION)
    for (const [type, rows] of [
      ['queryType', READINGS],
      ['mutationType', CHANGES],
      ['subscriptionType', FOLLOWINGS],
    ] as const) {
      const fields = it[type].fields.map(({ name }: { name: string }) => name)
      assert.deepEqual(Object.keys(rows).sort(), fields.sort(), type)
    }
  })

  describe('reads', () => {
    for (const [field, row] of Object.entries(READINGS)) {
      test(field, async () => {
        const variablesOf = (whose: Whose) => row.variables?.(world, whose) ?? {}
        const whose = row.of?.[0] ?? 'own'
        assert.equal(await refusal(ask(null, row.document, variablesOf(whose)), field), 'UNAUTHENTICATED')
        for (const key of KEYS) {
          const what = `${field} by ${key.name}`
          if (!reaches(key.role, row.roles)) {
            assert.equal(await refusal(ask(key, row.document, variablesOf(whose)), what), 'FORBIDDEN', what)
          } else if (!row.of) {
            assert.deepEqual(told(await ask(key, row.document, variablesOf(whose))), expected(row, key), what)
          } else {
            for (const one of row.of) {
              const isHidden = key.bound && one === 'other'
              const asked = ask(key, row.document, variablesOf(one)).catch((error: GraphqlError) => error)
              const answer = await asked
              const about = `${what} of ${one}`
              assert.deepEqual(told(answer), isHidden ? [] : [one], about)
              if (isHidden && answer !== null) assert.equal((answer as GraphqlError).code, 'NOT_FOUND', about)
            }
          }
        }
      })
    }
  })

  describe('changes', () => {
    const newest = async (): Promise<number> => (await world.ask(documents.NEWEST_REVISION)).number

    for (const [field, row] of Object.entries(CHANGES)) {
      test(field, async () => {
        const refusable = await row.variables(world, row.of[0]!)
        assert.equal(await refusal(ask(null, row.document, refusable), field), 'UNAUTHENTICATED')
        for (const key of KEYS) {
          const isLetIn = reaches(key.role, row.roles)
          for (const whose of isLetIn ? row.of : row.of.slice(0, 1)) {
            const what = `${field} of ${whose} by ${key.name}`
            const variables = isLetIn ? await row.variables(world, whose) : refusable
            if (isLetIn && (!key.bound || whose === 'own')) {
              await ask(key, row.document, variables).catch((error: unknown) =>
                assert.fail(`${what}: ${String(error)}`),
              )
              continue
            }
            const number = await newest()
            const code = isLetIn && whose === 'other' ? 'NOT_FOUND' : 'FORBIDDEN'
            assert.equal(await refusal(ask(key, row.document, variables), what), code, what)
            assert.equal(await newest(), number, `${what} changed something`)
          }
        }
      })
    }
  })

  describe('follows', () => {
    for (const [field, row] of Object.entries(FOLLOWINGS)) {
      test(field, async () => {
        for (const key of KEYS) {
          const what = `${field} by ${key.name}`
          await using events = stage.control.subscribe<unknown>(row.document, {}, secretOf(key))
          if (!reaches(key.role, row.roles)) {
            assert.equal(await refusal(events.next(), what), 'FORBIDDEN', what)
            continue
          }
          const wanted = expected(row, key)
          const heard = await hear(events, wanted, async () => {
            // What is a key's own comes last: what it must not hear would have come before.
            for (const whose of ['other', 'global', 'own'] as const) await row.poke(world, whose)
          })
          assert.deepEqual(heard, wanted, what)
        }
        await using nobodys = stage.control.subscribe<unknown>(row.document, {}, null)
        await assert.rejects(nobodys.next(), { code: 4403 })
      })
    }
  })
})

/** Pokes until the events have told of all that is wanted. @returns whose they told of */
async function hear(
  events: Subscription<unknown>,
  wanted: readonly Whose[],
  poke: () => Promise<void>,
): Promise<Whose[]> {
  const heard = new Set<Whose>()
  let count = 0
  const listening = (async () => {
    for await (const event of events) {
      count++
      for (const whose of told(event)) heard.add(whose)
    }
  })()
  listening.catch(() => undefined)
  await events.connected
  await waitFor(
    async () => {
      await poke()
      return count > 0 && wanted.every((whose) => heard.has(whose))
    },
    { timeoutMs: 20_000, intervalMs: 100, what: `events of ${wanted.join(' and ')}` },
  )
  return WHOSE.filter((whose) => heard.has(whose))
}
