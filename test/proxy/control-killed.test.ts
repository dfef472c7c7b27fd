/** Control is killed again and again under load: what clients saw is what is stored, request by request. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { toPicodollars } from '@millrace/shared'

import { startGateway } from '../helpers/gateway.ts'
import { databases, type DatabaseKind } from '../helpers/postgres.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { waitFor } from '../helpers/wait.ts'
import { openLedger, type Line } from './spool/ledger.ts'
import { metricValue } from './workers/crew.ts'

const CLIENTS = 4
/** Control starts again and again: under a minute by itself, some minutes beside others. */
const TIMEOUT_MS = 600_000

const found = await databases()
after(() => found.close())

/** Twenty, and a few on PGlite where there is a server too: it starts slowly, and what the proxy does is the same. */
const served = found.kinds.some(({ name, skip }) => name === 'PostgreSQL' && skip === false)
const killsOn = ({ name }: DatabaseKind): number => (name === 'PGlite' && served ? 4 : 20)

/** How a record differs from what its client was told; null: not at all. */
function difference(told: Line, stored: Line | undefined): string | null {
  if (stored === undefined) return 'is not stored'
  const known = Object.entries(told).filter(([, value]) => value !== null)
  const wrong = known.filter(([name, value]) => stored[name as keyof Line] !== value)
  return wrong.length === 0 ? null : `${JSON.stringify(told)} is stored as ${JSON.stringify(stored)}`
}

for (const kind of found.kinds) {
  const kills = killsOn(kind)
  describe(`on ${kind.name}`, { skip: kind.skip }, () => {
    test(
      `control is killed ${kills} times: nothing is lost, nothing is there twice`,
      { timeout: TIMEOUT_MS },
      async () => {
        await using stack = new AsyncDisposableStack()
        const upstream = stack.use(await startUpstream())
        const { databaseUrl, [Symbol.asyncDispose]: drop } = await kind.create()
        stack.defer(drop)
        const gateway = stack.use(await startGateway(databaseUrl === undefined ? {} : { databaseUrl }))
        const ledger = await openLedger(gateway, upstream)
        const load = ledger.load(CLIENTS)
        const { control, proxy } = gateway
        for (let i = 0; i < kills; i++) {
          const known = ledger.lines.size
          // In the middle of whatever it does then: its start, the backlog, what comes in.
          await sleep(Math.random() * 400)
          await control.kill9()
          // Its start takes so long that records go to disk.
          await control.restart()
          assert.ok(ledger.lines.size > known, 'there is load')
        }
        await load.end()
        assert.deepEqual(ledger.failures.slice(0, 5), [])
        await waitFor(async () => (await metricValue(proxy, 'millrace_records_queued')) === 0, {
          what: 'all records to be taken',
          timeoutMs: 60_000,
        })
        assert.equal(await metricValue(proxy, 'millrace_records_dropped_total'), 0)

        const { stored, spent } = await ledger.stored()
        const wrong = [...ledger.lines].flatMap(([id, told]) => difference(told, stored.get(id)) ?? [])
        assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${ledger.lines.size}`)
        assert.equal(stored.size, ledger.lines.size, 'no record that no client knows of')

        const { token } = await control.gql<{ token: { requestCount: number; budget: { spentUsd: string } } }>(
          'query ($id: ID!) { token(id: $id) { requestCount budget { spentUsd } } }',
          { id: ledger.token.id },
        )
        assert.equal(token.requestCount, ledger.counted)
        assert.equal(toPicodollars(token.budget.spentUsd), spent)
      },
    )
  })
}
