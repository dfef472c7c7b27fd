/** What a request takes of its token's and its project's limits, and what it gives back. */
import { GatewayError, NO_USAGE, picodollarsOf } from '@millrace/shared'

import type { Admission, Claim, LimitedSubject, LimitName, Refusal } from '../limits/store.ts'
import type { Found } from '../routing/found.ts'
import { modelFor, priceOf } from '../routing/price.ts'
import type { CompiledProject, CompiledToken } from '../snapshot/compiled.ts'
import { ClientGone } from './body.ts'
import type { Exchange } from './exchange.ts'

/** Far more than any limit; sums of it are exact. */
const MOST_TOKENS = 1e12

/**
 * Takes what a request asks for, of all its limits or of none. Without limits it costs nothing.
 * @returns a promise only where something has to be waited for
 * @throws GatewayError if a limit stands in the way, or can't be counted
 */
export function takeLimits(exchange: Exchange, token: CompiledToken, project: CompiledProject): void | Promise<void> {
  if (token.limited === null && project.limited === null) return
  const claim = claimOf(exchange, token, project)
  const admission = exchange.gateway.limits.admit(claim)
  exchange.claim = claim
  if (admission instanceof Promise) return takeWhenAdmitted(exchange, claim, admission)
  take(exchange, claim, admission)
}

async function takeWhenAdmitted(exchange: Exchange, claim: Claim, pending: Promise<Admission>): Promise<void> {
  let admission: Admission
  try {
    admission = await pending
  } catch (error) {
    exchange.claim = null
    throw error
  }
  take(exchange, claim, admission)
  if (exchange.over) throw new ClientGone()
}

function take(exchange: Exchange, claim: Claim, admission: Admission): void {
  exchange.admission = admission
  if (admission.refusal === null) return
  exchange.claim = null
  throw errorOf(admission.refusal, claim)
}

function claimOf(exchange: Exchange, token: CompiledToken, project: CompiledProject): Claim {
  const subjects: LimitedSubject[] = []
  if (token.limited !== null) subjects.push(token.limited)
  if (project.limited !== null) subjects.push(project.limited)
  const { id, startedAt, requestId, endpoint, snapshot, gateway } = exchange
  const call = exchange.call!
  const found = exchange.found!
  const budgeted = subjects.some(hasBudget)
  const measured = budgeted || subjects.some(limitsTokens)
  const inputTokens = measured ? Math.min(call.inputTokens, MOST_TOKENS) : 0
  const outputTokens = measured ? Math.min(call.maxOutputTokens ?? 0, MOST_TOKENS) : 0
  return {
    id,
    at: startedAt,
    subjects,
    tokens: inputTokens + outputTokens,
    // What goes by a client's own key is on the client's own bill.
    cost: budgeted && exchange.ownKey === null ? dearest(found, inputTokens, outputTokens) : 0n,
    about: {
      requestId,
      tokenId: token.id,
      projectId: project.id,
      endpoint,
      model: call.model,
      aliasId: found.alias.id,
      stream: call.stream,
      inputTokens,
      outputTokens,
      configRevision: snapshot?.revision ?? 0,
      proxyId: gateway.proxyId,
    },
  }
}

function hasBudget({ budget }: LimitedSubject): boolean {
  return budget !== null
}

function limitsTokens({ tokensPerMinute }: LimitedSubject): boolean {
  return tokensPerMinute !== null
}

/**
 * In picodollars, at the dearest of the routes whose price is known; 0n if there is none. Of output at least one token:
 * an answer whose length nobody has said is not free.
 */
function dearest(found: Found, inputTokens: number, outputTokens: number): bigint {
  const usage = { ...NO_USAGE, inputTokens, outputTokens: Math.max(1, outputTokens) }
  let most = 0n
  for (const route of found.alias.routes) {
    const price = route.enabled ? priceOf(route, modelFor(route, found)) : null
    const cost = price === null ? 0n : picodollarsOf(usage, price)
    if (cost > most) most = cost
  }
  return most
}

function errorOf({ limit, kind, retryAfterMs }: Refusal, claim: Claim): GatewayError {
  const subject = claim.subjects.find((one) => one.kind === kind)!
  const options = retryAfterMs === null ? {} : { retryAfterMs }
  const whose = kind === 'token' ? 'this API key' : 'the project of this API key'
  const message = MESSAGES[limit](whose, subject, claim, retryAfterMs)
  if (limit === 'quota') return new GatewayError('request_quota_exceeded', message)
  if (limit === 'budget') return new GatewayError('budget_exceeded', message, options)
  return new GatewayError('rate_limit_exceeded', message, options)
}

type MessageOf = (whose: string, subject: LimitedSubject, claim: Claim, retryAfterMs: number | null) => string

const MESSAGES: Readonly<Record<LimitName, MessageOf>> = {
  requests: (whose, { requestsPerMinute }, _, retryAfterMs) =>
    `The limit of ${whose} is ${requestsPerMinute} requests per minute. ${again(retryAfterMs)}`,
  tokens: (whose, { tokensPerMinute }, { tokens }, retryAfterMs) =>
    retryAfterMs === null
      ? `This request asks for ${tokens} tokens, input and output together, and the limit of ${whose} is ${tokensPerMinute} tokens per minute: shorten it, or lower its "max_completion_tokens".`
      : `The limit of ${whose} is ${tokensPerMinute} tokens per minute, and this request asks for ${tokens}. ${again(retryAfterMs)}`,
  concurrency: (whose, { maxConcurrent }) =>
    `The limit of ${whose} is ${maxConcurrent} requests at once: wait until another has ended.`,
  quota: (whose, { maxRequests }) =>
    `The quota of ${whose} is ${maxRequests} requests, and it is used up: ask who gave it to you for more.`,
  budget: (whose, { budget }, _, retryAfterMs) =>
    `The ${PERIODS[budget!.period]} budget of ${whose} has no room for this request: ${
      retryAfterMs === null ? 'make it smaller, or ask who gave it to you for more' : 'wait for the next period'
    }.`,
}

const PERIODS = { DAY: 'daily', MONTH: 'monthly', TOTAL: 'total' } as const

function again(retryAfterMs: number | null): string {
  return `Try again in ${Math.ceil((retryAfterMs ?? 0) / 1000)} s.`
}
