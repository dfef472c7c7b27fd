/** What each mutation may be asked by, and how it is asked to change what is whose. */
import {
  ANSWER_QUESTION_MUTATION,
  CARRIED_OUT_MUTATION,
  newId,
  NO_CACHE_REPORT,
  REPORT_LIVE_MUTATION,
  STORE_DEBUG_EXCHANGES_MUTATION,
  type ProxyReport,
} from '@millrace/shared'

import { uniqueName } from '../../helpers/names.ts'
import { sampleExchange } from '../debug/sample-exchange.ts'
import { liveEvent } from '../feeding.ts'
import { sample } from '../sample.ts'
import { markOf, WHOSE, type RoleName, type Whose, type World } from './world.ts'

export interface Changing {
  /** The lowest role, and what else is let in. */
  readonly roles: readonly RoleName[]
  readonly document: string
  /** Whose it can be asked to change. */
  readonly of: readonly Whose[]
  /** To change something that is there for this alone. */
  readonly variables: (world: World, whose: Whose) => Promise<Record<string, unknown>> | Record<string, unknown>
}

const EDITORS = ['EDITOR'] as const
const ONLY_GLOBAL = ['global'] as const
const OF_PROJECTS = ['own', 'other'] as const
type Project = (typeof OF_PROJECTS)[number]

const REPORT: ProxyReport = {
  id: newId(),
  version: '1',
  startedAt: '2026-01-01T00:00:00Z',
  configRevision: 1,
  inFlight: 0,
  requestsPerSecond: 0,
  recordsQueued: 0,
  recordsDropped: 0,
  health: { providers: [], routes: [], direct: [], credentials: [] },
  cache: NO_CACHE_REPORT,
}

/** With the input of that type, beside what else it takes. */
const mutation = (field: string, inputType: string, id: string, answer: string): string =>
  `mutation ($${id}: ID!, $input: ${inputType}!) { it: ${field}(${id}: $${id}, input: $input) ${answer} }`
const creation = (field: string, inputType: string, answer: string): string =>
  `mutation ($input: ${inputType}!) { it: ${field}(input: $input) ${answer} }`

export const CHANGES: Readonly<Record<string, Changing>> = {
  createAdminKey: {
    roles: ['ADMIN'],
    document:
      'mutation ($name: String!, $projects: [ID!]) { it: createAdminKey(name: $name, role: ADMIN, projects: $projects) { adminKey { id } } }',
    of: WHOSE,
    variables: (world, whose) => {
      const project = world.projectOf(whose)
      return { name: uniqueName(markOf(whose)), projects: project && [project] }
    },
  },
  revokeAdminKey: {
    roles: ['ADMIN'],
    document: 'mutation ($id: ID!) { it: revokeAdminKey(id: $id) { id } }',
    of: WHOSE,
    variables: async (world, whose) => ({ id: await world.makeKey(whose) }),
  },
  createProvider: {
    roles: EDITORS,
    document: creation('createProvider', 'CreateProviderInput', '{ id }'),
    of: ONLY_GLOBAL,
    variables: () => ({ input: { name: uniqueName('made'), kind: 'SIMULATED' } }),
  },
  updateProvider: {
    roles: EDITORS,
    document: mutation('updateProvider', 'UpdateProviderInput', 'id', '{ id }'),
    of: ONLY_GLOBAL,
    variables: async (world) => ({ id: await world.makeProvider(), input: { direct: true } }),
  },
  deleteProvider: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: deleteProvider(id: $id) }',
    of: ONLY_GLOBAL,
    variables: async (world) => ({ id: await world.makeProvider() }),
  },
  setBreaker: {
    roles: EDITORS,
    document: 'mutation ($provider: ID!) { it: setBreaker(provider: $provider, state: FORCED_CLOSED) { state } }',
    of: ONLY_GLOBAL,
    variables: async (world) => ({ provider: await world.makeProvider() }),
  },
  addCredential: {
    roles: EDITORS,
    document: mutation('addCredential', 'CredentialInput', 'provider', '{ id }'),
    of: WHOSE,
    variables: (world, whose) => ({
      provider: world.provider,
      input: { apiKey: newId(), project: world.projectOf(whose) },
    }),
  },
  setCredentialEnabled: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: setCredentialEnabled(id: $id, enabled: false) { id } }',
    of: WHOSE,
    variables: async (world, whose) => ({ id: await world.makeCredential(whose) }),
  },
  deleteCredential: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: deleteCredential(id: $id) }',
    of: WHOSE,
    variables: async (world, whose) => ({ id: await world.makeCredential(whose) }),
  },
  createAlias: {
    roles: EDITORS,
    document: creation('createAlias', 'CreateAliasInput', '{ id }'),
    of: WHOSE,
    variables: (world, whose) => ({
      input: { name: uniqueName(markOf(whose)), project: world.projectOf(whose), routes: [] },
    }),
  },
  updateAlias: {
    roles: EDITORS,
    document: mutation('updateAlias', 'UpdateAliasInput', 'id', '{ id }'),
    of: WHOSE,
    variables: async (world, whose) => ({ id: (await world.makeAlias(whose)).id, input: { enabled: false } }),
  },
  deleteAlias: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: deleteAlias(id: $id) }',
    of: WHOSE,
    variables: async (world, whose) => ({ id: (await world.makeAlias(whose)).id }),
  },
  addRoute: {
    roles: EDITORS,
    document: mutation('addRoute', 'RouteInput', 'alias', '{ id }'),
    of: WHOSE,
    variables: async (world, whose) => ({
      alias: (await world.makeAlias(whose)).id,
      input: { provider: world.provider },
    }),
  },
  updateRoute: {
    roles: EDITORS,
    document: mutation('updateRoute', 'UpdateRouteInput', 'id', '{ id }'),
    of: WHOSE,
    variables: async (world, whose) => ({ id: (await world.makeAlias(whose)).route, input: { weight: 7 } }),
  },
  deleteRoute: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: deleteRoute(id: $id) }',
    of: WHOSE,
    variables: async (world, whose) => ({ id: (await world.makeAlias(whose)).route }),
  },
  clearStickyBindings: {
    roles: EDITORS,
    document: 'mutation ($alias: ID!) { it: clearStickyBindings(alias: $alias) }',
    of: WHOSE,
    variables: async (world, whose) => ({ alias: (await world.makeAlias(whose)).id }),
  },
  purgeCache: {
    roles: EDITORS,
    document: 'mutation ($input: PurgeCacheInput!) { it: purgeCache(input: $input) }',
    of: WHOSE,
    variables: (world, whose) => ({ input: whose === 'global' ? { all: true } : { project: world.projectOf(whose) } }),
  },
  createProject: {
    roles: EDITORS,
    document: creation('createProject', 'CreateProjectInput', '{ id }'),
    of: ONLY_GLOBAL,
    variables: () => ({ input: { name: uniqueName('made') } }),
  },
  updateProject: {
    roles: EDITORS,
    document: mutation('updateProject', 'UpdateProjectInput', 'id', '{ id }'),
    of: OF_PROJECTS,
    variables: (world, whose) => ({
      id: world.projectOf(whose),
      input: { name: uniqueName(markOf(whose)) },
    }),
  },
  createToken: {
    roles: EDITORS,
    document: creation('createToken', 'CreateTokenInput', '{ token { id } }'),
    of: OF_PROJECTS,
    variables: (world, whose) => ({ input: { name: markOf(whose), project: world.projectOf(whose) } }),
  },
  updateToken: {
    roles: EDITORS,
    document: mutation('updateToken', 'UpdateTokenInput', 'id', '{ id }'),
    of: OF_PROJECTS,
    variables: async (world, whose) => ({
      id: await world.makeToken(whose as Project),
      input: { metadata: { changed: true } },
    }),
  },
  rotateToken: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: rotateToken(id: $id) { token { id } } }',
    of: OF_PROJECTS,
    variables: async (world, whose) => ({ id: await world.makeToken(whose as Project) }),
  },
  revokeToken: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: revokeToken(id: $id) { id } }',
    of: OF_PROJECTS,
    variables: async (world, whose) => ({ id: await world.makeToken(whose as Project) }),
  },
  revokeProjectTokens: {
    roles: EDITORS,
    document: 'mutation ($project: ID!) { it: revokeProjectTokens(project: $project) { total } }',
    of: OF_PROJECTS,
    variables: async (world, whose) => {
      await world.makeToken(whose as Project)
      return { project: world.projectOf(whose) }
    },
  },
  reportProxy: {
    roles: ['PROXY'],
    document: 'mutation ($report: ProxyReportInput!) { it: reportProxy(report: $report) }',
    of: ONLY_GLOBAL,
    variables: () => ({ report: REPORT }),
  },
  carriedOut: {
    roles: ['PROXY'],
    document: CARRIED_OUT_MUTATION.replace('carriedOut', 'it: carriedOut'),
    of: ONLY_GLOBAL,
    variables: () => ({ instruction: newId(), proxy: newId(), process: newId(), processes: 1, count: 0 }),
  },
  testProvider: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: testProvider(id: $id) { ok } }',
    of: ONLY_GLOBAL,
    variables: (world) => ({ id: world.provider }),
  },
  cancelRequest: {
    roles: EDITORS,
    document: 'mutation ($id: ID!) { it: cancelRequest(id: $id) }',
    of: ['own'],
    variables: () => ({ id: newId() }),
  },
  answerQuestion: {
    roles: ['PROXY'],
    document: ANSWER_QUESTION_MUTATION.replace('answerQuestion', 'it: answerQuestion'),
    of: ONLY_GLOBAL,
    variables: () => {
      const of = { question: newId(), proxy: newId(), process: newId(), processes: 1 }
      return { ...of, cancelled: false, inFlight: [] }
    },
  },
  setDebugCapture: {
    roles: ['ADMIN'],
    document: 'mutation { it: setDebugCapture(enabled: true) { enabled } }',
    of: ONLY_GLOBAL,
    variables: () => ({}),
  },
  storeDebugExchanges: {
    roles: ['PROXY'],
    document: STORE_DEBUG_EXCHANGES_MUTATION.replace('storeDebugExchanges', 'it: storeDebugExchanges'),
    of: ONLY_GLOBAL,
    variables: () => ({ exchanges: [sampleExchange()] }),
  },
  reportLive: {
    roles: ['PROXY'],
    document: REPORT_LIVE_MUTATION.replace('reportLive', 'it: reportLive'),
    of: ONLY_GLOBAL,
    variables: () => ({ events: [liveEvent('STARTED', sample())] }),
  },
  ingestRecords: {
    roles: ['PROXY'],
    document: 'mutation ($records: [JSON!]!) { it: ingestRecords(records: $records) { stored } }',
    of: ONLY_GLOBAL,
    variables: () => ({ records: [sample()] }),
  },
}
