/** What each subscription may be asked by, and what it tells of what is whose. */
import { LIVE_WANTED_SUBSCRIPTION, SNAPSHOTS_SUBSCRIPTION } from '@millrace/shared'

import * as documents from '../documents.ts'
import { liveEvent, report } from '../feeding.ts'
import { sample } from '../sample.ts'
import type { Reading } from './reading.ts'
import { markOf, WHOSE, type Whose, type World } from './world.ts'

export interface Following extends Omit<Reading, 'of'> {
  /** Does what the subscription tells of, of what is somebody's. */
  readonly poke: (world: World, whose: Whose) => Promise<unknown>
}

const VIEWERS = ['VIEWER'] as const

export const FOLLOWINGS: Readonly<Record<string, Following>> = {
  requestFeed: {
    roles: VIEWERS,
    document: `subscription { requestFeed(kinds: [STARTED, FINISHED]) {
      record { model project { name } token { name } } inFlight { model project { name } token { name } }
    } }`,
    tells: WHOSE,
    tellsBound: ['own'],
    poke: async (world, whose) => {
      const record = sample({ projectId: world.projectOf(whose), model: markOf(whose) })
      await report(world.control, liveEvent('STARTED', record))
      await world.makeRecord(whose)
    },
  },
  routeDecisionFeed: {
    roles: VIEWERS,
    document: 'subscription { routeDecisionFeed { model project { name } token { name } } }',
    tells: WHOSE,
    tellsBound: ['own'],
    poke: (world, whose) => world.makeRecord(whose),
  },
  configRevisions: {
    roles: VIEWERS,
    document: 'subscription { configRevisions { message changes { name after } } }',
    tells: WHOSE,
    poke: (world, whose) => world.makeAlias(whose),
  },
  auditFeed: {
    roles: VIEWERS,
    document: 'subscription { auditFeed { subject details project { name } } }',
    tells: WHOSE,
    tellsBound: ['own'],
    poke: (world, whose) => world.makeAlias(whose),
  },
  providerHealth: {
    roles: VIEWERS,
    document: 'subscription { providerHealth { name credentials { label } } }',
    tells: WHOSE,
    poke: async (world) => {
      for (const state of ['FORCED_OPEN', 'CLOSED'])
        await world.ask(documents.SET_BREAKER, { provider: world.provider, state })
    },
  },
  snapshots: {
    roles: ['PROXY'],
    document: SNAPSHOTS_SUBSCRIPTION,
    tells: WHOSE,
    poke: (world, whose) => world.makeAlias(whose),
  },
  questions: {
    roles: ['PROXY'],
    document: 'subscription { questions { id } }',
    tells: [],
    poke: (world) => world.ask('{ it: inFlightRequests { id } }'),
  },
  debugCaptures: {
    roles: ['PROXY'],
    document: 'subscription { debugCaptures }',
    tells: [],
    poke: (world) => world.capture(),
  },
  liveWanted: {
    roles: ['PROXY'],
    document: LIVE_WANTED_SUBSCRIPTION,
    tells: [],
    poke: async () => undefined,
  },
  instructions: {
    roles: ['PROXY'],
    document: 'subscription { instructions { id } }',
    tells: [],
    poke: async (world) =>
      world.ask('mutation ($alias: ID!) { it: clearStickyBindings(alias: $alias) }', { alias: world.aliases.global }),
  },
}
