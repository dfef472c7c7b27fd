/** What lists are asked in the bench: each condition alone and in usual pairs; of what there is much of, little, none. */
import type { Cast } from './fill.ts'

const DAY_MS = 86_400_000

export interface Case {
  readonly list: 'requests' | 'routeDecisions'
  readonly name: string
  readonly filter: Readonly<Record<string, unknown>>
  /** Begins far from the newest. */
  readonly deep?: boolean
}

export function casesOf({ projects, tokens, aliases, providers, models }: Cast): Case[] {
  const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString()
  const nobody = '00000000-0000-7000-8900-000000000000'
  const [common, rare] = [{ project: projects[0] }, { project: projects.at(-1) }]
  const [busy, idle] = [{ token: tokens[0] }, { token: tokens.at(-1) }]
  const requests: [name: string, filter: Case['filter'], deep?: boolean][] = [
    ['all', {}],
    ['all, deep', {}, true],
    ['of an hour', { from: daysAgo(20), to: daysAgo(20 - 1 / 24) }],
    ['project, common', common],
    ['project, common, deep', common, true],
    ['project, rare', rare],
    ['project, none', { project: nobody }],
    ['token, common', busy],
    ['token, rare', idle],
    ['token, rare, deep', idle, true],
    ['token, none', { token: nobody }],
    ['model, common', { model: models[0] }],
    ['model, none', { model: 'nothing' }],
    ['provider', { provider: providers[3] }],
    ['status ERROR', { status: ['ERROR'] }],
    ['status TIMEOUT, CANCELLED', { status: ['TIMEOUT', 'CANCELLED'] }],
    ['errorClass, common', { errorClass: 'all_routes_failed' }],
    ['errorClass, rare', { errorClass: 'upstream_credentials_exhausted' }],
    ['errorClass, none', { errorClass: 'nothing' }],
    ['stream', { stream: true }],
    ['cache HIT', { cache: ['HIT'] }],
    ['cache COALESCED (none)', { cache: ['COALESCED'] }],
    ['minLatencyMs, common', { minLatencyMs: 1_000 }],
    ['minLatencyMs, rare', { minLatencyMs: 60_000 }],
    ['minLatencyMs, none', { minLatencyMs: 1e8 }],
    ['minCostUsd, common', { minCostUsd: '0.01' }],
    ['minCostUsd, rare', { minCostUsd: '2.5' }],
    ['minCostUsd, none', { minCostUsd: '100000' }],
    ['requestId, none', { requestId: 'nothing' }],
    ['project + status', { ...common, status: ['ERROR'] }],
    ['project + model', { ...common, model: models[0] }],
    ['project, rare + model', { ...rare, model: models[0] }],
    ['project + errorClass, rare', { ...common, errorClass: 'upstream_credentials_exhausted' }],
    ['project + minLatencyMs, rare', { ...rare, minLatencyMs: 60_000 }],
    ['project + minCostUsd, rare', { ...common, minCostUsd: '2.5' }],
    ['project + of a day', { ...rare, from: daysAgo(31), to: daysAgo(30) }],
    ['token + status', { ...busy, status: ['TIMEOUT'] }],
    ['token + model, none', { ...busy, model: models[23] }],
    ['token + errorClass, rare', { ...busy, errorClass: 'upstream_credentials_exhausted' }],
    ['token + minLatencyMs, rare', { ...busy, minLatencyMs: 60_000 }],
    ['token + of five days', { ...idle, from: daysAgo(45), to: daysAgo(40) }],
    ['model + minLatencyMs, rare', { model: models[2], minLatencyMs: 60_000 }],
    ['model + status', { model: models[5], status: ['TIMEOUT'] }],
    ['status + minLatencyMs', { status: ['ERROR'], minLatencyMs: 20_000 }],
    ['provider + cache + stream', { provider: providers[1], cache: ['HIT'], stream: false }],
    ['minLatencyMs + minCostUsd', { minLatencyMs: 60_000, minCostUsd: '2.5' }],
    ['search, common', { search: 'VENDOR-1' }],
    ['search, a user', { search: 'user-19876' }],
    ['search, errors', { search: 'incident 77' }],
    ['search, a part of a request id', { search: 'deadbeef-' }],
    ['search, none', { search: 'nothing like it' }],
    ['search, none, of a day', { search: 'nothing like it', from: daysAgo(31), to: daysAgo(30) }],
    ['search + project', { search: 'incident 512', project: projects[2] }],
    ['search + token', { search: 'user-1', ...idle }],
  ]
  const decisions: typeof requests = [
    ['all', {}],
    ['all, deep', {}, true],
    ['project, common', common],
    ['project, rare', rare],
    ['token, rare', idle],
    ['token, none', { token: nobody }],
    ['alias', { alias: aliases[3] }],
    ['provider', { provider: providers[2] }],
    ['route', { route: aliases.at(-1) }],
    ['route, none', { route: nobody }],
    ['stickyHit, none', { stickyHit: true }],
    ['fallbackUsed', { fallbackUsed: true }],
    ['fallbackUsed + errorClass', { fallbackUsed: true, errorClass: 'upstream_timeout' }],
    ['errorClass, rare', { errorClass: 'upstream_credentials_exhausted' }],
    ['token + alias, none', { ...busy, alias: aliases.at(-1) }],
    ['requestId, none', { requestId: 'nothing' }],
  ]
  const cases = (list: Case['list'], all: typeof requests): Case[] =>
    all.map(([name, filter, deep = false]) => ({ list, name, filter, deep }))
  return [...cases('requests', requests), ...cases('routeDecisions', decisions)]
}
