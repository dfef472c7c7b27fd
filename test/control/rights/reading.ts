/** What each query may be asked by, and what it tells of what is whose. */
import { markOf, WHOSE, type RoleName, type Whose, type World } from './world.ts'

export interface Reading {
  /** The lowest role, and what else is let in. */
  readonly roles: readonly RoleName[]
  readonly document: string
  /** Whose there is to see in one answer. */
  readonly tells?: readonly Whose[]
  /** The same for a key that is bound, where it is not all but the other's. */
  readonly tellsBound?: readonly Whose[]
  /** Of one thing at a time: what names it; of whose there are such. */
  readonly of?: readonly Whose[]
  readonly variables?: (world: World, whose: Whose) => Record<string, unknown>
}

const VIEWERS = ['VIEWER'] as const
const PROJECT = 'project { name }'

export const READINGS: Readonly<Record<string, Reading>> = {
  viewer: {
    roles: ['VIEWER', 'PROXY'],
    document: '{ it: viewer { name role projects { name } } }',
    tells: [],
    tellsBound: ['own'],
  },
  adminKeys: {
    roles: ['ADMIN'],
    document: '{ it: adminKeys { name projects { name } } }',
    tells: WHOSE,
  },
  providers: {
    roles: VIEWERS,
    document: `{ it: providers { name credentials { label ${PROJECT} } } }`,
    tells: WHOSE,
  },
  provider: {
    roles: VIEWERS,
    document: `query ($id: ID) { it: provider(id: $id) { name credentials { label ${PROJECT} } } }`,
    variables: ({ provider }) => ({ id: provider }),
    tells: WHOSE,
  },
  aliases: {
    roles: VIEWERS,
    document: `{ it: aliases { name ${PROJECT} routes { name } } }`,
    tells: WHOSE,
  },
  alias: {
    roles: VIEWERS,
    document: `query ($id: ID) { it: alias(id: $id) { name ${PROJECT} routes { name alias { name } } } }`,
    of: WHOSE,
    variables: ({ aliases }, whose) => ({ id: aliases[whose] }),
  },
  projects: { roles: VIEWERS, document: '{ it: projects { name } }', tells: ['own', 'other'] },
  project: {
    roles: VIEWERS,
    document: 'query ($id: ID!) { it: project(id: $id) { name } }',
    of: ['own', 'other'],
    variables: (world, whose) => ({ id: world.projectOf(whose) }),
  },
  tokens: {
    roles: VIEWERS,
    document: `{ it: tokens(status: ACTIVE) { edges { node { name ${PROJECT} } } } }`,
    tells: ['own', 'other'],
  },
  token: {
    roles: VIEWERS,
    document: `query ($id: ID!) { it: token(id: $id) { name ${PROJECT} } }`,
    of: ['own', 'other'],
    variables: ({ tokens }, whose) => ({ id: tokens[whose as 'own'] }),
  },
  requests: {
    roles: VIEWERS,
    document: `{ it: requests { edges { node { model ${PROJECT} token { name } decision { model } } } } }`,
    tells: WHOSE,
    tellsBound: ['own'],
  },
  request: {
    roles: VIEWERS,
    document: `query ($id: ID) { it: request(id: $id) { model ${PROJECT} } }`,
    of: ['own', 'other'],
    variables: ({ records }, whose) => ({ id: records[whose as 'own'] }),
  },
  inFlightRequests: {
    roles: VIEWERS,
    document: `{ it: inFlightRequests { model ${PROJECT} token { name } } }`,
    tells: [],
  },
  routeDecisions: {
    roles: VIEWERS,
    document: `{ it: routeDecisions { edges { node { model ${PROJECT} token { name } } } } }`,
    tells: WHOSE,
    tellsBound: ['own'],
  },
  explainRoute: {
    roles: VIEWERS,
    document: `query ($input: ExplainRouteInput!) { it: explainRoute(input: $input) { alias { name } ${PROJECT} } }`,
    of: ['own', 'other'],
    variables: ({ projects }, whose) => ({ input: { model: 'demo', project: projects[whose as 'own'] } }),
  },
  stickyBindings: {
    roles: VIEWERS,
    document: 'query ($alias: ID!) { it: stickyBindings(alias: $alias) { key } }',
    variables: ({ aliases }) => ({ alias: aliases.global }),
    tells: ['own', 'other'],
  },
  configRevision: {
    roles: VIEWERS,
    document: 'query ($number: Int) { it: configRevision(number: $number) { message changes { name before after } } }',
    of: WHOSE,
    variables: ({ revisions }, whose) => ({ number: revisions[whose] }),
  },
  configRevisions: {
    roles: VIEWERS,
    document: '{ it: configRevisions(first: 500) { edges { node { message changes { name before after } } } } }',
    tells: WHOSE,
  },
  usage: {
    roles: VIEWERS,
    document:
      '{ it: usage(query: {from: "2026-01-01T00:00:00Z", to: "2999-01-01T00:00:00Z", interval: TOTAL, groupBy: [MODEL, PROJECT, TOKEN]}) { dimensions project { name } token { name } } }',
    tells: WHOSE,
    tellsBound: ['own'],
  },
  proxies: { roles: VIEWERS, document: '{ it: proxies { id } }', tells: [] },
  cacheStats: { roles: VIEWERS, document: '{ it: cacheStats { entries hits } }', tells: [] },
  auditEvents: {
    roles: VIEWERS,
    document: `{ it: auditEvents(first: 500) { edges { node { subject details ${PROJECT} } } } }`,
    tells: WHOSE,
    tellsBound: ['own'],
  },
  debugCapture: { roles: ['ADMIN'], document: '{ it: debugCapture { enabled tokens models } }', tells: [] },
  debugExchange: {
    roles: ['ADMIN'],
    document: `query ($id: ID!) { it: debugExchange(id: $id) { requestBody ${PROJECT} token { name } } }`,
    of: ['own', 'other'],
    variables: ({ records }, whose) => ({ id: records[whose as 'own'] }),
  },
  debugExchanges: {
    roles: ['ADMIN'],
    document: `{ it: debugExchanges { edges { node { model ${PROJECT} token { name } } } } }`,
    tells: WHOSE,
    tellsBound: ['own'],
  },
  used: {
    roles: ['PROXY'],
    document: 'query ($subjects: [UsedSubjectInput!]!) { it: used(subjects: $subjects) { id } }',
    variables: () => ({ subjects: [] }),
    tells: [],
  },
}

/** Whether an answer tells of what is somebody's. */
export function told(answer: unknown): Whose[] {
  const text = JSON.stringify(answer) ?? ''
  return WHOSE.filter((whose) => text.includes(markOf(whose)))
}
