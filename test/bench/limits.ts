/**
 * What limits cost a request, all of them at once on its token and on its project: `npm run build && node test/bench/limits.ts`.
 * CPU of this process, in which nothing else runs; Redis's own is not in it.
 */
import { setImmediate as turn } from 'node:timers/promises'

import { newId } from '@millrace/shared'
import { pino } from 'pino'

import { Journal } from '../../packages/proxy/dist/limits/journal.js'
import { MemoryLimits } from '../../packages/proxy/dist/limits/memory.js'
import { RedisLimits } from '../../packages/proxy/dist/limits/redis.js'
import type { LimitStore } from '../../packages/proxy/dist/limits/store.js'
import { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'
import { claim, subject, used } from '../proxy/limits/claims.ts'

const REQUESTS = 50_000
/** Under way at once. */
const AT_ONCE = 50
const SILENT = pino({ level: 'silent' })

const MOST = 2_147_483_647
const LIMITS = {
  requestsPerMinute: MOST,
  tokensPerMinute: MOST,
  maxConcurrent: 1_000,
  budget: ['1000000', 'MONTH'],
} as const
const TOKENS = Array.from({ length: 100 }, () => subject({ ...LIMITS, maxRequests: MOST }))
const PROJECT = subject({ ...LIMITS, kind: 'project' })

async function measure(name: string, store: LimitStore): Promise<void> {
  await run(store, REQUESTS / 5)
  const before = process.cpuUsage()
  const began = performance.now()
  await run(store, REQUESTS)
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - began) / 1000
  console.log(
    `${name}: ${((user + system) / REQUESTS).toFixed(1)} µs of CPU a request, ${Math.round(REQUESTS / seconds)} requests/s`,
  )
}

async function run(store: LimitStore, requests: number): Promise<void> {
  const spent = used(1_000, '0.01')
  for (let i = 0; i < requests; i += AT_ONCE) {
    const claims = Array.from({ length: AT_ONCE }, (_, n) =>
      claim([TOKENS[(i + n) % TOKENS.length]!, PROJECT], { tokens: 1_200, cost: '0.012' }),
    )
    const admissions = claims.map(async (one) => store.admit(one))
    for (const admission of await Promise.all(admissions))
      if (admission.refusal !== null) throw new Error(`refused: ${admission.refusal.limit}`)
    for (const one of claims) store.settle(one, spent)
    await turn()
  }
}

const idle: LimitStore = {
  admit: () => ({ refusal: null, requests: null, tokens: null }),
  settle: () => undefined,
  raise: () => undefined,
}
await measure('the loop itself', idle)
await measure('in memory', new MemoryLimits(null))
{
  await using folder = await temporaryFolder()
  const journal = new Journal(folder.path, SILENT, async () => undefined)
  const memory = new MemoryLimits(journal)
  journal.start(memory)
  await measure('in memory, with the journal', memory)
  journal.stop()
}
if ((await redisUnusable()) === false) {
  await using server = await RedisServer.start()
  const redis = new Redis(server.url, SILENT, 5_000)
  redis.start()
  await waitFor(() => redis.ready)
  await measure('in Redis', new RedisLimits(redis, newId()))
  redis.close()
}
process.exit()
