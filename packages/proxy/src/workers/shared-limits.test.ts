import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'

import { GatewayError } from '@millrace/shared'

import type { Claim } from '../limits/store.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { Channel, type Ipc } from './channel.ts'
import type { ToPrimary } from './link.ts'
import { SharedLimits } from './shared-limits.ts'

const deadlines = new Deadlines()
after(() => deadlines.stop())

/** To a process that reads nothing. */
const stuck: Ipc = { connected: true, send: () => true, on: () => undefined }

describe('SharedLimits', () => {
  it('keeps nothing of requests about which a primary that is stuck was not asked', async () => {
    const channel: ToPrimary = new Channel(stuck, deadlines, { answers: {}, hears: {} })
    const limits = new SharedLimits(channel)
    const claim = { id: 'r' } as Claim
    const refused = (error: unknown) => error instanceof GatewayError && error.code === 'limits_unavailable'
    await assert.rejects(limits.admit(claim), refused)
    for (let i = 0; i < 12_000; i++) await assert.rejects(limits.admit(claim), refused)
    assert.ok(!channel.congested)
  })
})
