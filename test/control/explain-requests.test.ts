/** What is asked of a request that is explained, and of who sends it, on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { createProject, createToken } from '../helpers/configuration.ts'
import type { RouteOptions } from '../helpers/configuration.ts'
import { uniqueName } from '../helpers/names.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { chosen, excluded, Explaining, inMs, type Made } from './explaining.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const explaining = new Explaining(stage)
  const explain = (input: object): Promise<any> => explaining.explain(input)
  const simulator = (): Promise<string> => explaining.simulator()
  const alias = (routes: RouteOptions[]): Promise<Made> => explaining.alias(routes)
  const ask = async (document: string, variables = {}): Promise<any> =>
    (await stage.control.gql(document, variables)).it

  describe('conditions are asked', () => {
    test('of the body, the headers, and of who sends it', async () => {
      const project = await createProject(stage.control, uniqueName('asking'))
      const { id: token } = await createToken(stage.control, { project, name: 'in production' })
      const provider = await simulator()
      const sent = {
        token,
        body: {
          stream: true,
          max_completion_tokens: 7,
          max_tokens: 9,
          tools: [{ type: 'function' }],
          user: 'of the body',
          prompt_cache_key: 'a conversation',
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x'.repeat(400) } }] }],
        },
        headers: { 'X-Tier': 'gold', 'x-empty': '', 'x-millrace-metadata': '{"plan": {"name": "pro"}}' },
      }
      for (const [condition, holds] of [
        [{ stream: true, tools: true, images: true }, true],
        [{ stream: false }, false],
        [{ max_tokens: 7 }, true],
        [{ user: 'of the body', conversation: 'a conversation' }, true],
        [{ 'headers.x-tier': { $glob: 'g*' } }, true],
        [{ 'headers.x-other': { $exists: true } }, false],
        [{ 'headers.x-empty': '' }, true],
        [{ 'metadata.plan.name': { $in: ['pro', 'team'] } }, true],
        [{ token, token_name: 'in production', project, project_name: { $glob: 'asking-*' } }, true],
        [{ endpoint: '/v1/chat/completions' }, true],
        [{ estimated_input_tokens: { $gt: 100, $lt: 300 } }, true],
        [{ $not: { token } }, false],
      ] as const) {
        const made = await alias([{ provider, condition }])
        assert.deepEqual(
          excluded(await explain({ model: made.name, ...sent })),
          [holds ? null : 'CONDITION_NOT_MET'],
          JSON.stringify(condition),
        )
      }
    })

    test('of the user and the conversation that are named, before the headers and the body', async () => {
      const { name } = await alias([{ provider: await simulator() }])
      const body = { user: 'body', conversation: 'body' }
      const headers = { 'x-millrace-user': 'header', 'x-millrace-conversation': 'header' }
      for (const [input, expected] of [
        [{ body }, 'body'],
        [{ body, headers }, 'header'],
        [{ body, headers: { 'x-millrace-user': '', 'x-millrace-conversation': '' } }, 'body'],
        [{ body, headers, userKey: 'input', conversationKey: 'input' }, 'input'],
      ] as const) {
        const { userKey, conversationKey } = await explain({ model: name, ...input })
        assert.deepEqual([userKey, conversationKey], [expected, expected])
      }
    })
  })

  describe('a sender whom proxies refuse is told so, and no route is chosen', () => {
    const outcome = (decision: any): unknown[] => [decision.errorClass, chosen(decision), decision.sticky.action]
    const sender = async () => {
      const project = await createProject(stage.control)
      const made = await explaining.alias([{ provider: await simulator() }], { sticky: { scope: 'TOKEN' } })
      return { project, model: made.name }
    }

    test('a revoked token', async () => {
      const { project, model } = await sender()
      const { id: token } = await createToken(stage.control, { project })
      assert.deepEqual(outcome(await explain({ model, token })), [null, 0, 'BIND'])
      await ask(documents.REVOKE_TOKEN, { id: token })
      const decision = await explain({ model, token })
      assert.deepEqual(outcome(decision), ['token_revoked', -1, 'NONE'])
      assert.deepEqual([decision.selectedRoute, excluded(decision)], [null, [null]])
    })

    test('one that has expired', async () => {
      const { project, model } = await sender()
      // What has expired before it is made is refused.
      const { id: token } = await waitFor(() => createToken(stage.control, { project, expiresAt: inMs(2_000) }))
      await waitFor(async () => (await explain({ model, token })).errorClass !== null)
      assert.deepEqual(outcome(await explain({ model, token })), ['token_expired', -1, 'NONE'])
    })

    test('whose project is not active, with or without a token', async () => {
      const { project, model } = await sender()
      const { id: token } = await createToken(stage.control, { project })
      await ask(documents.UPDATE_PROJECT, { id: project, input: { active: false } })
      for (const input of [{ token }, { project }])
        assert.deepEqual(outcome(await explain({ model, ...input })), ['project_inactive', -1, 'NONE'])
    })
  })
})
