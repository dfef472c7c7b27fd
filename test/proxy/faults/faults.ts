/** The faults that the table names: how a provider is made that has them. */
import type { RouteSpec } from '../../helpers/routed.ts'
import { behaviours } from '../../helpers/upstream/behaviours.ts'
import { errorEvent } from '../../helpers/upstream/failures.ts'

/** Ports at which no fake upstream answers. */
export interface Ports {
  /** Nobody listens. */
  readonly refusing: number
  /** Connecting takes for ever. */
  readonly unaccepting: number
}

const KEYS = ['sk-upstream-of-the-fault-1', 'sk-upstream-of-the-fault-2'] as const

/** The other timeouts stay as they are by default: a minute or more. */
const SHORT_MS = 400

/** What comes before the fault comes in one packet: a slow machine must not make a stall between two. */
const AT_ONCE = { split: 'all' } as const

type Fault = RouteSpec | ((ports: Ports) => RouteSpec)

const faults: Readonly<Record<string, Fault>> = {
  'connection refused': ({ refusing }) => ({ baseUrl: `http://127.0.0.1:${refusing}/v1` }),
  'connect timeout': ({ unaccepting }) => ({
    baseUrl: `http://127.0.0.1:${unaccepting}/v1`,
    provider: { timeouts: { connect: SHORT_MS } },
  }),
  'reset before headers': { behaviour: behaviours.reset() },
  'cut after headers': { behaviour: behaviours.cutOff('after-headers') },
  'cut in mid-body': { behaviour: behaviours.cutOff('mid-body') },
  'cut in mid-event': { behaviour: behaviours.cutOff('mid-event', AT_ONCE) },

  'stalled before headers': {
    behaviour: behaviours.stall('before-headers'),
    provider: { timeouts: { firstToken: SHORT_MS, total: 5 * SHORT_MS } },
  },
  'stalled after headers': {
    behaviour: behaviours.stall('after-headers'),
    provider: { timeouts: { firstToken: SHORT_MS, idle: 2 * SHORT_MS } },
  },
  'stalled before first token': {
    behaviour: behaviours.stall('before-first-token'),
    provider: { timeouts: { firstToken: SHORT_MS } },
  },
  'stalled in mid-body': {
    behaviour: behaviours.stall('mid-body', AT_ONCE),
    provider: { timeouts: { idle: SHORT_MS } },
  },
  'trickles for ever': {
    behaviour: behaviours.answer({ gapMs: 50, words: Array.from({ length: 10_000 }, () => ' on') }),
    provider: { timeouts: { total: 5 * SHORT_MS } },
  },

  '429, retry-after 1': { behaviour: behaviours.rateLimited('1') },
  '429, retry-after 60': { behaviour: behaviours.rateLimited('60') },
  '429': { behaviour: behaviours.rateLimited() },
  '500': { behaviour: behaviours.serverError() },
  '503': { behaviour: behaviours.unavailable() },
  '408': { behaviour: behaviours.refuse(408) },
  '409': { behaviour: behaviours.refuse(409) },
  '401 to one key of two': {
    behaviour: behaviours.byKey({ [KEYS[0]]: behaviours.unauthorized() }, behaviours.answer()),
    provider: { apiKeys: KEYS },
  },
  '401 to both keys': { behaviour: behaviours.unauthorized(), provider: { apiKeys: KEYS } },
  '400': { behaviour: behaviours.badRequest() },

  'a page of HTML': { behaviour: behaviours.html(200) },
  'an empty body': { behaviour: behaviours.raw('') },
  'truncated JSON': { behaviour: behaviours.raw('{"id":"chatcmpl-1","object":"chat.completion","choices":[{"ind') },
  'a 200 with an error body': { behaviour: behaviours.okWithError() },
  gzip: { behaviour: behaviours.gzip() },
  'a redirect': { behaviour: behaviours.redirect('https://elsewhere.example/v1/chat/completions') },
  'an error event first': { behaviour: behaviours.errorEventFirst() },
  'an error event after its role': { behaviour: errorEvent(1) },
  'an error event later': { behaviour: errorEvent(3, undefined, AT_ONCE) },
  'an end before the first token': { behaviour: behaviours.endEarly('before-first-token') },
  'no terminal event': { behaviour: behaviours.endEarly('before-the-end', AT_ONCE) },
}

/** The route that has a fault. @throws Error for one that is not there */
export function faultyRoute(name: string, ports: Ports): RouteSpec {
  const fault = faults[name]
  if (!fault) throw new Error(`no fault is named ${name}`)
  return typeof fault === 'function' ? fault(ports) : fault
}
