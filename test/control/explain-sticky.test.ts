/** Which binding a request would have, on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { INGEST_RECORDS_MUTATION, type RequestRecord } from '@millrace/shared'

import { createProject, createToken, setBreaker } from '../helpers/configuration.ts'
import { waitFor } from '../helpers/wait.ts'
import { chosen, Explaining, inMs } from './explaining.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const CLEAR = 'mutation ($alias: ID!) { clearStickyBindings(alias: $alias) }'

await onEachDatabase((stage) => {
  const explaining = new Explaining(stage)
  const explain = (input: object): Promise<any> => explaining.explain(input)
  const simulator = (): Promise<string> => explaining.simulator()

  describe('a sticky binding', () => {
    const sticky = async () => {
      const project = await createProject(stage.control)
      const { id: token } = await createToken(stage.control, { project })
      const providers = [await simulator(), await simulator(), await simulator()]
      // The second is chosen by no weight, and the third is a fallback.
      const routes = providers.map((provider, i) => ({ provider, priority: i === 2 ? 1 : 0, weight: i === 0 ? 1 : 0 }))
      const made = await explaining.alias(routes, { sticky: { scope: 'USER' } })
      const key = `${made.id}:${project}:USER:ann`
      const request = { model: made.name, token, userKey: 'ann' }
      const bind = async (route: number, boundAt: string, expiresAt: string): Promise<void> => {
        const record = sample({ aliasId: made.id, startedAt: boundAt })
        const outcome = {
          scope: 'USER',
          key,
          routeId: made.routes[route]!,
          action: 'BIND',
          boundAt,
          expiresAt,
        } as const
        const told: RequestRecord = {
          ...record,
          decision: { ...record.decision!, sticky: { ...record.decision!.sticky, ...outcome } },
        }
        await stage.control.gql(INGEST_RECORDS_MUTATION, { records: [told] }, stage.control.proxyKey)
      }
      return { made, providers, key, request, bind, project, token }
    }

    test('is hit where its route is a candidate of the best priority, and stays as it is', async () => {
      const { made, providers, key, request, bind } = await sticky()
      const first = await explain(request)
      assert.deepEqual(
        [first.sticky.action, first.sticky.key, first.sticky.scope, chosen(first)],
        ['BIND', key, 'USER', 0],
      )
      const [boundAt, expiresAt] = [inMs(-1_000), inMs(60_000)]
      await bind(1, boundAt, expiresAt)
      for (let i = 0; i < 3; i++) {
        const decision = await explain(request)
        assert.deepEqual(decision.sticky, {
          scope: 'USER',
          key,
          hit: true,
          action: 'HIT',
          backend: 'memory',
          boundAt,
          expiresAt,
        })
        assert.deepEqual([chosen(decision), decision.selectedRoute.id], [1, made.routes[1]])
      }
      await setBreaker(stage.control, providers[1]!, 'FORCED_OPEN')
      const away = await explain(request)
      assert.deepEqual([away.sticky.action, away.sticky.hit, chosen(away)], ['REBIND_UNAVAILABLE', false, 0])
      await setBreaker(stage.control, providers[1]!, 'CLOSED')
      await bind(2, inMs(0), inMs(60_000))
      const back = await explain(request)
      assert.deepEqual([back.sticky.action, chosen(back)], ['REBIND_UNAVAILABLE', 0], 'a fallback moves back')
      await stage.control.gql(CLEAR, { alias: made.id })
      assert.equal((await explain(request)).sticky.action, 'BIND')
    })

    test('that has expired is replaced', async () => {
      const { request, bind } = await sticky()
      // It is known for as long again as it lived.
      await bind(1, inMs(-60_000), inMs(3_000))
      const decision = await waitFor(async () => {
        const now = await explain(request)
        return now.sticky.action !== 'HIT' && now
      })
      assert.deepEqual([decision.sticky.action, decision.sticky.hit, chosen(decision)], ['REBIND_EXPIRED', false, 0])
    })

    test('is of the scope that the request asks for, and of a subject', async () => {
      const { made, project, token, request } = await sticky()
      const asked = async (more: object): Promise<unknown> => {
        const { scope, key, action } = (await explain({ ...request, ...more })).sticky
        return [scope, key, action]
      }
      const header = (value: string): object => ({ headers: { 'x-millrace-sticky': value } })
      const prefix = `${made.id}:${project}`
      assert.deepEqual(await asked(header('token')), ['TOKEN', `${prefix}:TOKEN:${token}`, 'BIND'])
      assert.deepEqual(await asked(header('none')), ['NONE', null, 'NONE'])
      assert.deepEqual(await asked(header('conversation')), ['CONVERSATION', null, 'NONE'])
      assert.deepEqual(await asked({ userKey: null }), ['USER', null, 'NONE'])
      assert.deepEqual(await asked({ token: null }), ['USER', null, 'NONE'])
    })
  })
})
