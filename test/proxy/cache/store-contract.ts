/** What each tier of the answer cache promises: one table for all. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { newId, type PurgeScope } from '@millrace/shared'

import type { StoredAnswer } from '../../../packages/proxy/dist/cache/answer.js'
import type { AnswerScope } from '../../../packages/proxy/dist/cache/store.js'
import { cacheKey, storedAnswer, storedStream } from './answers.ts'

/** A tier, as the contract needs it. */
export interface AnswerTier {
  /** Resolves once it is kept. */
  set(key: string, answer: StoredAnswer): Promise<void>
  get(key: string, scope: AnswerScope): Promise<StoredAnswer | null>
  purge(scope: PurgeScope): Promise<number>
}

export interface AnswerTierKind {
  readonly name: string
  readonly skip: false | string
  /** Empty, as two processes see it where they share it. */
  open(): Promise<readonly [AnswerTier, AnswerTier]>
}

const projects = ['project-1', 'project-2', 'project[1]*'] as const
const models = ['fast', 'slow:1', 'p\u00fcnktlich \u{1f600}?*'] as const

export function testAnswerTier(kind: AnswerTierKind): void {
  suite(`answers in ${kind.name}`, { skip: kind.skip }, () => {
    test('are given as they were stored', async () => {
      const [one, other] = await kind.open()
      const answers: Record<string, StoredAnswer> = {
        small: storedAnswer(),
        empty: storedAnswer({ body: '', headers: [], status: 204 }),
        bytes: storedAnswer({ body: Buffer.from(Array.from({ length: 512 }, (_, i) => i)).toString('latin1') }),
        large: storedAnswer({ body: 'lorem ipsum '.repeat(50_000), headers: ['content-type', 'text/plain', 'a', ''] }),
        stream: storedAnswer(storedStream(3)),
        'long stream': storedAnswer(storedStream(5_000)),
        'stream without a part': storedAnswer({ body: '', stream: { ends: [], at: [], usagePart: -1 } }),
      }
      for (const [name, answer] of Object.entries(answers)) await one.set(cacheKey(name), answer)
      for (const [name, answer] of Object.entries(answers)) {
        assert.deepEqual(await other.get(cacheKey(name), answer), answer, name)
      }
      assert.equal(await one.get(cacheKey('unknown'), answers['small']!), null)
    })

    test('give way to newer ones', async () => {
      const [one, other] = await kind.open()
      const key = cacheKey('newer')
      await one.set(key, storedAnswer({ etag: '"old"' }))
      await other.set(key, storedAnswer({ etag: '"new"' }))
      assert.equal((await one.get(key, storedAnswer()))?.etag, '"new"')
    })

    test('are none once they have expired', async () => {
      const [one] = await kind.open()
      const [brief, long] = [cacheKey('brief'), cacheKey('long')]
      const answer = storedAnswer()
      await one.set(long, answer)
      await one.set(brief, storedAnswer({ expiresAt: Date.now() + 1_500 }))
      await sleep(1_550)
      assert.equal(await one.get(brief, answer), null)
      assert.deepEqual(await one.get(long, answer), answer)
    })

    const scopes: readonly PurgeScope[] = [
      { projectId: null, model: null },
      ...projects.map((projectId) => ({ projectId, model: null })),
      ...models.map((model) => ({ projectId: null, model })),
      { projectId: projects[2], model: models[2] },
    ]
    for (const scope of scopes) {
      test(`are purged by ${JSON.stringify(scope)}, and no others`, async () => {
        const [one, other] = await kind.open()
        const answers = projects.flatMap((projectId) => models.map((model) => storedAnswer({ projectId, model })))
        const key = (answer: StoredAnswer): string => cacheKey(`${answer.projectId} ${answer.model}`)
        for (const answer of answers) await one.set(key(answer), answer)
        const isMeant = ({ projectId, model }: StoredAnswer): boolean =>
          [null, projectId].includes(scope.projectId) && [null, model].includes(scope.model)
        assert.equal(await other.purge(scope), answers.filter(isMeant).length)
        for (const answer of answers) {
          assert.deepEqual(await one.get(key(answer), answer), isMeant(answer) ? null : answer, key(answer))
        }
        assert.equal(await other.purge(scope), 0)
        for (const answer of answers) await one.set(key(answer), answer)
        for (const answer of answers) assert.deepEqual(await other.get(key(answer), answer), answer)
      })
    }

    test('are purged by thousands', async () => {
      const [one] = await kind.open()
      const scope = { projectId: newId(), model: 'fast' }
      const keys = Array.from({ length: 3_000 }, (_, i) => cacheKey(`many ${i}`))
      // Not all at once: others use this machine.
      for (let i = 0; i < keys.length; i += 100)
        await Promise.all(keys.slice(i, i + 100).map((key) => one.set(key, storedAnswer(scope))))
      assert.equal(await one.purge({ projectId: scope.projectId, model: null }), 3_000)
      for (const key of keys.slice(0, 10)) assert.equal(await one.get(key, scope), null)
    })
  })
}
