/** Debug captures by several processes, and while the control plane is away: what is caught waits, within bounds, and nobody else does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { waitFor } from '../helpers/wait.ts'
import { Debugging } from './debug/debugging.ts'
import { metricValue } from './workers/crew.ts'

const WORKERS = 2
const DROPPED = 'millrace_debug_exchanges_dropped_total'
const PAGE = `query ($after: String) {
  it: debugExchanges(first: 500, after: $after) { edges { node { requestId } } pageInfo { hasNextPage endCursor } }
}`

const scene = useScene({ proxyEnv: { MILLRACE_WORKERS: String(WORKERS) } }, async ({ gateway }) => {
  debugging = new Debugging(gateway, WORKERS)
})
let debugging: Debugging

const ask = (requestId: string, content = 'x'): Promise<Answer> =>
  scene.chat({ ...scene.body(), messages: [{ role: 'user', content }] }, { 'x-request-id': requestId })

/** Those of the captured requests whose id begins so. */
async function captured(stem: string): Promise<string[]> {
  const found: string[] = []
  let after: string | null = null
  do {
    const { it }: any = await scene.gateway.control.gql(PAGE, { after })
    found.push(...it.edges.map(({ node }: any) => node.requestId))
    after = it.pageInfo.hasNextPage ? it.pageInfo.endCursor : null
  } while (after !== null)
  return found.filter((requestId) => requestId.startsWith(stem))
}

test('each worker captures', async () => {
  await debugging.while({}, async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(uniqueName('worker'))))
    for (const answer of answers) assert.equal((await debugging.of(answer)).responseBody, answer.text)
  })
})

test('what is caught while control is away is stored when it is back, as far as there is room; requests do not wait', async () => {
  const stem = uniqueName('away')
  const count = 100
  const { control, proxy } = scene.gateway
  await debugging.on({ maxBodyBytes: 1_048_576 })
  await control.kill9()
  // Of 64 MiB, as much as two processes keep: one of them, asked by each connection in turn, has no room for 50.
  const content = 'é'.repeat(524_000)
  for (let i = 0; i < count; i += 4) {
    const answers = await Promise.all([0, 1, 2, 3].map((j) => ask(`${stem}-${i + j}`, content)))
    for (const { status } of answers) assert.equal(status, 200)
  }
  await waitFor(async () => (await metricValue(proxy, DROPPED)) > 0, { what: 'some to be dropped' })
  await control.restart()
  let dropped = 0
  const stored = await waitFor(
    async () => {
      const found = await captured(stem)
      dropped = await metricValue(proxy, DROPPED)
      return found.length + dropped === count && found
    },
    { what: 'all exchanges to be stored, or lost', timeoutMs: 90_000, intervalMs: 500 },
  )
  assert.ok(dropped < count / 2, String(dropped))
  assert.equal(new Set(stored).size, stored.length)
  assert.equal(proxy.output().stderr.split('exchanges of a debug capture are lost').length - 1, WORKERS)
  // There is room again, in each of them.
  const later = await Promise.all(Array.from({ length: 4 }, () => ask(uniqueName('later'), content)))
  for (const answer of later) assert.equal((await debugging.of(answer)).responseBody, answer.text)
})
