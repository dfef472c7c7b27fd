/** A process that counts limits in a data folder, told what to do line by line: so that it can be killed. */
import { createInterface } from 'node:readline'

import { pino } from 'pino'

import { Journal } from '../../../packages/proxy/dist/limits/journal.js'
import { MemoryLimits } from '../../../packages/proxy/dist/limits/memory.js'
import { claim, subject, used } from './claims.ts'

/** Of them one after another `settled` end for 0.1 USD, and `open` do not; each holds 0.3 USD. */
export interface Work {
  readonly id: string
  readonly settled: number
  readonly open: number
}

export const BUDGET = ['1000000', 'TOTAL'] as const

if (process.argv[1] === import.meta.filename) {
  const journal = new Journal(process.argv[2]!, pino({ level: 'silent' }), () => new Promise(() => undefined))
  const memory = new MemoryLimits(journal)
  journal.start(memory)
  process.stdout.write('ready\n')
  for await (const line of createInterface(process.stdin)) {
    const { id, settled, open } = JSON.parse(line) as Work
    const one = subject({ id, budget: BUDGET, maxRequests: 1_000_000 })
    for (let i = 0; i < settled + open; i++) {
      const each = claim(one, { cost: '0.3' })
      memory.admit(each)
      if (i < settled) memory.settle(each, used(1, '0.1'))
    }
    setImmediate(() => process.stdout.write('done\n'))
  }
}
