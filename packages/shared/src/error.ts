/**
 * What the gateway itself answers when a request cannot be served, or a stream cannot go on.
 * One table, dialect-neutral: each endpoint renders it in its own shape. Must never know HTTP frameworks or providers.
 */

const TABLE = {
  invalid_json: [400, 'invalid_request_error'],
  model_required: [400, 'invalid_request_error'],
  messages_required: [400, 'invalid_request_error'],
  invalid_api_key: [401, 'authentication_error'],
  token_revoked: [401, 'authentication_error'],
  token_expired: [401, 'authentication_error'],
  project_inactive: [403, 'permission_error'],
  unsupported_endpoint: [400, 'invalid_request_error'],
  param_not_allowed: [400, 'invalid_request_error'],
  header_required: [400, 'invalid_request_error'],
  model_not_allowed: [403, 'permission_error'],
  origin_not_allowed: [403, 'permission_error'],
  ip_not_allowed: [403, 'permission_error'],
  model_not_found: [404, 'invalid_request_error'],
  endpoint_not_found: [404, 'invalid_request_error'],
  method_not_allowed: [405, 'invalid_request_error'],
  request_too_large: [413, 'invalid_request_error'],
  rate_limit_exceeded: [429, 'rate_limit_error'],
  budget_exceeded: [429, 'insufficient_quota'],
  request_quota_exceeded: [429, 'insufficient_quota'],
  // As its record has it: not a status that clients try again by themselves.
  admin_cancelled: [499, 'permission_error'],
  internal_error: [500, 'server_error'],
  upstream_credentials_exhausted: [502, 'upstream_error'],
  all_routes_failed: [502, 'upstream_error'],
  stream_error: [502, 'upstream_error'],
  stream_truncated: [502, 'upstream_error'],
  no_route_available: [503, 'upstream_error'],
  provider_at_capacity: [503, 'upstream_error'],
  not_ready: [503, 'upstream_error'],
  limits_unavailable: [503, 'upstream_error'],
  shutting_down: [503, 'upstream_error'],
  upstream_timeout: [504, 'timeout_error'],
  not_cached: [504, 'invalid_request_error'],
} as const

/** The `code` of an error answer, and the `errorClass` of the record of a request that was refused with it. */
export type ErrorCode = keyof typeof TABLE

/** The `type` of an error answer. */
export type ErrorType = (typeof TABLE)[ErrorCode][1]

/** Every code, for tests that must cover the table. */
export const ERROR_CODES = Object.keys(TABLE) as ErrorCode[]

export interface GatewayErrorOptions {
  /** The request parameter at fault. */
  readonly param?: string
  /** Over the table's status: a provider's 429 stays a 429. */
  readonly status?: number
  /** Milliseconds after which the client may try again; sent as `retry-after` and `retry-after-ms`. */
  readonly retryAfterMs?: number
  /** The methods that the path has, sent as `allow` with a 405. */
  readonly allow?: string
}

/** A request ends with this answer. `message` is for the client: it holds no secret and no internal detail. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: ErrorCode
  readonly status: number
  readonly type: ErrorType
  readonly param: string | null
  readonly retryAfterMs: number | null
  readonly allow: string | null

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message)
    const [status, type] = TABLE[code]
    this.code = code
    this.status = options.status ?? status
    this.type = type
    this.param = options.param ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
    this.allow = options.allow ?? null
  }
}

/** Why one attempt at a provider failed, or how a request ended that was not refused. Kept in records beside {@link ErrorCode}. */
export const ATTEMPT_ERROR_CLASSES = [
  // Of an attempt that was not sent: the provider can't be asked for what the request wants.
  'unsupported_endpoint',
  'param_not_allowed',
  'transport_error',
  'connect_timeout',
  'first_token_timeout',
  'idle_timeout',
  'total_timeout',
  'upstream_auth',
  'upstream_rate_limited',
  'upstream_5xx',
  'upstream_4xx',
  'upstream_invalid',
  'stream_error',
  'stream_truncated',
  'client_cancelled',
  'admin_cancelled',
  'hedge_lost',
  'shutting_down',
] as const
export type AttemptErrorClass = (typeof ATTEMPT_ERROR_CLASSES)[number]
