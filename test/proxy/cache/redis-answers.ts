/** Answers in Redis, for tests. */
import assert from 'node:assert/strict'

import { pino } from 'pino'

import type { RedisAnswers } from '../../../packages/proxy/dist/cache/redis.js'
import { Redis } from '../../../packages/proxy/dist/redis/redis.js'
import type { RedisServer } from '../../helpers/redis.ts'
import { waitFor } from '../../helpers/wait.ts'
import { storedAnswer } from './answers.ts'

/** Generous, because tests share the machine. */
const DEADLINE_MS = 2_000

/** A connection that is ready; to be closed. */
export async function connectedTo({ url }: RedisServer, deadlineMs = DEADLINE_MS): Promise<Redis> {
  const redis = new Redis(url, pino({ level: 'silent' }), deadlineMs)
  redis.start()
  await waitFor(() => redis.ready, { what: 'Redis to be ready' })
  return redis
}

/** Stores an answer as a request does that has looked for it. */
export async function keep(answers: RedisAnswers, key: string, answer = storedAnswer()): Promise<void> {
  const mark = await answers.mark(answer)
  assert.ok(mark !== null)
  answers.set(key, answer, mark)
  await waitFor(async () => (await answers.look(key, answer))?.answer?.etag === answer.etag, {
    what: 'it to be kept',
    timeoutMs: 10_000,
  })
}
