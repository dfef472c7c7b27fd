/** Microseconds of CPU for the key of a request, by the size of its body and by what is in it. */
import { DEFAULT_CACHE, newId } from '@millrace/shared'

import type { CompiledCache } from '../../packages/proxy/dist/cache/cacheable.js'
import { cacheKey } from '../../packages/proxy/dist/cache/key.js'
import { chatCompletions } from '../../packages/proxy/dist/endpoints/chat-completions.js'
import { median } from './cache-load.ts'

const SIZES = [1_024, 102_400]
const BATCHES = 30
const MS_A_BATCH = 50
const TEXTS = 16
const CACHE: CompiledCache = {
  policy: { ...DEFAULT_CACHE, enabled: true },
  cacheable: true,
  routesDigest: 'd'.repeat(43),
  members: new Set(),
  facts: [],
}
const WHOSE = { projectId: newId(), projectName: 'project', tokenId: newId(), tokenName: 'token', aliasId: newId() }
const TEXT = 'The quick brown fox, it said, "jumps" over\nthe lazy dog — café. '

/** What fills a body, a piece at a time. */
const FILLINGS: Readonly<Record<string, (index: number) => object>> = {
  'one text': () => ({ text: TEXT }),
  'messages of 500 characters': (i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: `${i} ${TEXT.repeat(8)}`,
  }),
  'messages of 60 characters': (i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: `${i} ${TEXT}` }),
  tools: (i) => ({
    type: 'function',
    function: {
      name: `tool_${i}`,
      description: TEXT,
      parameters: {
        type: 'object',
        properties: {
          city: { type: 'string', description: 'Where' },
          days: { type: 'integer', minimum: 1, maximum: 14 },
        },
        required: ['city'],
        additionalProperties: false,
      },
      strict: true,
    },
  }),
}

function bodyOf(filling: string, size: number): string {
  const pieces: object[] = []
  const body = (): object => {
    const rest = { model: 'bench-alias', temperature: 0.7, stream: true, user: 'ann' }
    if (filling === 'tools') return { ...rest, messages: [{ role: 'user', content: TEXT }], tools: pieces }
    if (filling !== 'one text') return { ...rest, messages: pieces }
    return { ...rest, messages: [{ role: 'user', content: TEXT.repeat(pieces.length) }] }
  }
  const grow = FILLINGS[filling]!
  do pieces.push(grow(pieces.length))
  while (Buffer.byteLength(JSON.stringify(body())) < size)
  return Buffer.from(JSON.stringify(body())).toString('latin1')
}

/** Prints them. */
export function measureKeys(): void {
  for (const size of SIZES) {
    const figures = Object.keys(FILLINGS).map((filling) => {
      const body = bodyOf(filling, size)
      return `${filling} (${body.length} bytes) ${microseconds(body).toFixed(1)} µs`
    })
    console.log(`key, a body of ${size / 1_024} KB: ${figures.join('; ')}`)
  }
}

/** Of CPU: others may run on this machine. */
function microseconds(body: string): number {
  // Nothing is known of a request from the one before.
  const texts = Array.from({ length: TEXTS }, (_, i) => body.replace('0.7', `0.${i + 10}`))
  const batches: number[] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    const before = process.cpuUsage()
    const began = performance.now()
    let count = 0
    while (performance.now() - began < MS_A_BATCH) keyOf(texts[count++ % TEXTS]!)
    const { user, system } = process.cpuUsage(before)
    batches.push((user + system) / count)
  }
  return median(batches.slice(BATCHES / 3))
}

function keyOf(body: string): string {
  const { path: endpoint, unkeyed } = chatCompletions
  return cacheKey(CACHE, { ...WHOSE, endpoint, headers: {}, body, unkeyed })
}
