/** A control plane that is there and says nothing: the proxy tries again, and is not kept from ending. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import type { Hang } from '../helpers/fake-control.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { startLoneProxy } from '../helpers/lone-proxy.ts'
import { waitFor, within } from '../helpers/wait.ts'

/** What process managers give a service, less a bit. */
const END_MS = 20_000

describe('a WebSocket that gets stuck', { concurrency: true }, () => {
  const cases: [Hang, string][] = [
    ['upgrade', 'before its upgrade is answered'],
    ['acknowledgement', 'before it is acknowledged'],
    ['snapshot', 'before its first snapshot'],
  ]
  for (const [hangs, name] of cases) {
    test(`${name}: another is tried, and SIGTERM ends it with its records sent`, async () => {
      await using lone = await startLoneProxy({ hangs })
      await waitFor(() => lone.control.stuck > 1, { what: 'a second connection that is stuck', timeoutMs: 60_000 })

      const id = uniqueName('stuck')
      assertError(await lone.chat({ 'x-request-id': id }), { status: 503, type: 'upstream_error', code: 'not_ready' })
      lone.proxy.signal('SIGTERM')
      const exit = await within(END_MS, 'the end of the process', lone.proxy.exited)
      assert.deepEqual(exit, { code: 0, signal: null })
      const record = await lone.record(id)
      assert.deepEqual([record.status, record.errorClass], ['REJECTED', 'not_ready'])
    })

    test(`${name}: SIGTERM ends it while the first hangs`, async () => {
      await using lone = await startLoneProxy({ hangs })
      await waitFor(() => lone.control.stuck > 0, { what: 'a connection that is stuck', timeoutMs: 30_000 })
      lone.proxy.signal('SIGTERM')
      const exit = await within(END_MS, 'the end of the process', lone.proxy.exited)
      assert.deepEqual(exit, { code: 0, signal: null })
    })

    test(`${name}: served as soon as one is not stuck`, async () => {
      await using lone = await startLoneProxy({ hangs })
      await waitFor(() => lone.control.stuck > 0, { what: 'a connection that is stuck', timeoutMs: 30_000 })
      lone.control.hangs = null
      lone.control.publish(lone.configuration.at(1))
      await waitFor(async () => (await lone.chat()).status === 200, { what: 'an answer', timeoutMs: 60_000 })
    })
  }
})
