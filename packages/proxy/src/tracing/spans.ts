/**
 * What a request's spans say: OpenTelemetry's conventions for HTTP servers and for generative AI, and under `millrace.` what
 * is ours. Never a secret, a body or a header; of what a client has written only the path, the model's name and the request's id.
 */
import type { ProviderKind } from '@millrace/shared'
import { SpanKind, SpanStatusCode, type Attributes, type SpanStatus } from '@opentelemetry/api'

import { endpointLabel } from '../metrics/endpoint-label.ts'
import { OTHER } from '../metrics/request-series.ts'
import { attemptsOf } from '../request/account.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Exchange } from '../request/exchange.ts'
import type { SpanOptions } from './finished-span.ts'
import type { RequestTrace } from './request-trace.ts'
import { serverOf } from './server-address.ts'
import type { TraceContext } from './trace-context.ts'

/** Characters of what a client may have chosen. */
const LONGEST_TEXT = 256
const OK: SpanStatus = { code: SpanStatusCode.UNSET }
const FAILED: SpanStatus = { code: SpanStatusCode.ERROR }
const NO_LINKS: readonly TraceContext[] = []

/** `gen_ai.operation.name`, by endpoint. What passes through unread has none. */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/messages', 'chat'],
  ['/v1/responses', 'chat'],
  ['/v1/completions', 'text_completion'],
  ['/v1/embeddings', 'embeddings'],
])

/** `gen_ai.provider.name`, by kind. Who is behind a server that only speaks like OpenAI's, its operator alone knows. */
const PROVIDERS: ReadonlyMap<string, string> = new Map<ProviderKind, string>([
  ['OPENAI', 'openai'],
  ['AZURE_OPENAI', 'azure.ai.openai'],
  ['ANTHROPIC', 'anthropic'],
  ['GEMINI', 'gcp.gemini'],
  ['BEDROCK', 'aws.bedrock'],
])

/** Endings that are nobody's fault. */
const UNFAILED: ReadonlySet<string> = new Set(['client_cancelled', 'admin_cancelled', 'hedge_lost', 'shutting_down'])

/** A request's own, of kind SERVER. */
export function requestSpan(exchange: Exchange, { context, parent }: RequestTrace): SpanOptions {
  const { req, startedAt, latencyMs } = exchange
  const route = endpointLabel(exchange)
  return {
    name: route === OTHER ? req.method! : `${req.method!} ${route}`,
    kind: SpanKind.SERVER,
    context,
    parent,
    remoteParent: true,
    begin: startedAt,
    end: startedAt + latencyMs,
    status: statusOf(exchange),
    attributes: requestAttributes(exchange, route),
    links: linksOf(exchange),
  }
}

function requestAttributes(exchange: Exchange, route: string): Attributes {
  const { req, res, endpoint, found, token, outcome, cache, snapshot } = exchange
  const attributes: Attributes = {
    'http.request.method': req.method!,
    'url.scheme': 'http',
    'url.path': cut(endpoint),
    'millrace.request_id': exchange.requestId,
    'millrace.record_id': exchange.id,
    'millrace.cache': cache.outcome,
    'millrace.attempts': attemptsOf(exchange).length,
    'millrace.revision': snapshot?.revision ?? 0,
  }
  if (route !== OTHER) attributes['http.route'] = route
  if (res.headersSent) attributes['http.response.status_code'] = res.statusCode
  const errorClass = outcome?.errorClass ?? null
  if (errorClass !== null) attributes['error.type'] = errorClass
  if (found !== null && found.alias.id !== null) attributes['millrace.alias'] = found.alias.name
  if (token !== null) {
    attributes['millrace.token_id'] = token.id
    attributes['millrace.project_id'] = token.projectId
  }
  return attributes
}

/** What is a client's to mend is no error of the server's. */
function statusOf({ outcome, res }: Exchange): SpanStatus {
  if (outcome?.status !== 'ERROR' && outcome?.status !== 'TIMEOUT') return OK
  return res.statusCode >= 400 && res.statusCode < 500 ? OK : FAILED
}

/** Of several that share a flight, the others point to the one in whose name providers were asked. */
function linksOf(exchange: Exchange): readonly TraceContext[] {
  const lead = exchange.flight?.lead
  if (lead === undefined || lead === exchange || lead.trace === null) return NO_LINKS
  return [lead.trace.context]
}

/** A provider's being asked, of kind CLIENT. */
export function attemptSpan(attempt: Attempt, context: TraceContext): SpanOptions {
  const { exchange: lead, model, failure, fault, began, endedAt } = attempt
  const operation = lead.req.method === 'POST' ? OPERATIONS.get(lead.endpoint) : undefined
  const failed = fault !== null || (failure !== null && !UNFAILED.has(failure.errorClass))
  return {
    name: operation === undefined ? lead.req.method! : `${operation} ${cut(model)}`,
    kind: SpanKind.CLIENT,
    context,
    parent: lead.trace!.context,
    remoteParent: false,
    begin: lead.startedAt + (began - lead.began),
    end: lead.startedAt + (endedAt - lead.began),
    status: failed ? FAILED : OK,
    attributes: attemptAttributes(attempt, operation),
    links: NO_LINKS,
  }
}

function attemptAttributes(attempt: Attempt, operation: string | undefined): Attributes {
  const { exchange: lead, flight, route, model, failure, fault, upstreamStatus, hedged } = attempt
  const { address, port } = serverOf(route.connection!, attempt.target.url)
  const attributes: Attributes = {
    'http.request.method': lead.req.method!,
    'millrace.provider': route.provider.name,
    'millrace.attempt': flight.attempts.indexOf(attempt),
    'millrace.hedged': hedged,
  }
  if (address !== '') attributes['server.address'] = address
  if (port !== null) attributes['server.port'] = port
  if (upstreamStatus !== null) attributes['http.response.status_code'] = upstreamStatus
  if (failure !== null) attributes['error.type'] = failure.errorClass
  else if (fault !== null) attributes['error.type'] = 'internal_error'
  if (operation !== undefined) addGenAi(attributes, operation, attempt)
  else if (model !== '') attributes['gen_ai.request.model'] = cut(model)
  return attributes
}

function addGenAi(attributes: Attributes, operation: string, attempt: Attempt): void {
  const { flight, route, model, call, firstTokenAt, began } = attempt
  const { kind, name } = route.provider
  attributes['gen_ai.operation.name'] = operation
  attributes['gen_ai.provider.name'] = PROVIDERS.get(kind) ?? name
  attributes['gen_ai.request.model'] = cut(model)
  if (call.stream) attributes['gen_ai.request.stream'] = true
  if (firstTokenAt !== null) attributes['gen_ai.response.time_to_first_chunk'] = (firstTokenAt - began) / 1_000
  const { usage, costUsd } = flight
  if (flight.attempt !== attempt || usage.source === 'NONE') return
  attributes['gen_ai.usage.input_tokens'] = usage.inputTokens
  attributes['gen_ai.usage.output_tokens'] = usage.outputTokens
  attributes['millrace.usage.source'] = usage.source
  if (usage.cachedInputTokens > 0) attributes['gen_ai.usage.cache_read.input_tokens'] = usage.cachedInputTokens
  if (usage.cacheWriteTokens > 0) attributes['gen_ai.usage.cache_creation.input_tokens'] = usage.cacheWriteTokens
  if (usage.reasoningTokens > 0) attributes['gen_ai.usage.reasoning.output_tokens'] = usage.reasoningTokens
  if (costUsd !== null) attributes['millrace.cost_usd'] = Number(costUsd)
}

/** A copy: a slice would hold on to all of the text, which a client may have made megabytes long, for as long as the span waits. */
function cut(text: string): string {
  return Buffer.from(text.slice(0, LONGEST_TEXT)).toString()
}
