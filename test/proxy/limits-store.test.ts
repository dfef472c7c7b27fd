/** The stores of limits by their common contract. */
import { after } from 'node:test'

import { newId } from '@millrace/shared'
import { pino } from 'pino'

import { MemoryLimits } from '../../packages/proxy/dist/limits/memory.js'
import { ADMIT, RAISE, SETTLE } from '../../packages/proxy/dist/limits/redis-scripts.js'
import { RedisLimits } from '../../packages/proxy/dist/limits/redis.js'
import { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { SharedLimits } from '../../packages/proxy/dist/workers/shared-limits.js'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { waitFor } from '../helpers/wait.ts'
import { WorkerLinks } from '../helpers/worker-links.ts'
import { testLimitStore } from './limits/contract.ts'

const skip = await redisUnusable()
if (skip !== false) console.log(`# the Redis half of these tests is skipped: ${skip}`)

const disposables = new AsyncDisposableStack()
after(() => disposables.disposeAsync())
let server: Promise<RedisServer> | undefined

async function redisLimits(): Promise<RedisLimits> {
  server ??= RedisServer.start().then((started) => disposables.use(started))
  const redis = new Redis((await server).url, pino({ level: 'silent' }), 5_000)
  disposables.defer(() => redis.close())
  redis.start()
  await waitFor(() => redis.ready, { what: 'Redis to be ready' })
  const limits = new RedisLimits(redis, newId())
  // A script that Redis sees for the first time takes one round trip more, in which others may pass it.
  for (const script of [ADMIT, SETTLE, RAISE]) await redis.command(['SCRIPT', 'LOAD', script.text])
  return limits
}

testLimitStore({
  name: 'memory',
  skip: false,
  async open() {
    const store = new MemoryLimits(null)
    return [store, store]
  },
})

testLimitStore({
  name: "the workers' primary",
  skip: false,
  async open() {
    const links = disposables.use(new WorkerLinks())
    return [new SharedLimits(links.open().channel), new SharedLimits(links.open().channel)]
  },
})

testLimitStore({
  name: 'Redis',
  skip,
  open: async () => [await redisLimits(), await redisLimits()],
})
