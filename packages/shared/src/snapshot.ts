/**
 * The configuration at one revision, as a proxy is told it and as it keeps it on disk.
 * Must never know how it is stored (control's database) or how it is compiled (the proxy's Maps).
 */
import * as z from 'zod'

import { accessPolicy } from './access.ts'
import { cachePolicy, DEFAULT_CACHE } from './cache.ts'
import { budgetPolicy, limitsPolicy, maxRequests } from './limits.ts'
import { parseAs } from './parse.ts'
import { MAX_TIMEOUT_MS } from './provider.ts'
import { breakerPolicy, hedgePolicy, retryPolicy, stickyPolicy } from './routing/policies.ts'

/** Goes up when an older proxy could misread a newer document; additions that it may ignore don't count. */
export const SNAPSHOT_FORMAT = 3

const milliseconds = z.int().min(1).max(MAX_TIMEOUT_MS)
const timeouts = z.object({ connect: milliseconds, firstToken: milliseconds, idle: milliseconds, total: milliseconds })
/** USD per million tokens; null: the bundled price list's. */
const price = z.number().min(0).nullable()

const credential = z.object({
  id: z.uuid(),
  /** Null: serves every project. */
  projectId: z.uuid().nullable(),
  fingerprint: z.string(),
  /** Sealed under the master key (see secret.ts), or the name of an environment variable of the proxy. */
  secret: z.union([z.object({ sealed: z.string() }), z.object({ env: z.string() })]),
})

const provider = z.object({
  id: z.uuid(),
  name: z.string(),
  /** Not an enumeration here: a proxy older than the control plane disables a kind that it doesn't know, and serves the rest. */
  kind: z.string(),
  baseUrl: z.url().nullable(),
  enabled: z.boolean(),
  timeouts,
  breaker: breakerPolicy,
  /** What an operator has set, over the breaker's own judgement. */
  forcedBreaker: z.enum(['FORCED_OPEN', 'FORCED_CLOSED']).nullable(),
  /** When the operator last did; each new moment makes breakers begin anew. */
  breakerSetAt: z.iso.datetime().nullable(),
  /** Whether clients may ask for NAME/MODEL without an alias. */
  direct: z.boolean(),
  /** Requests at once, from one proxy; null: no limit. */
  maxConcurrency: z.int().min(1).nullable(),
  settings: z.record(z.string(), z.unknown()),
  /** Null: everything is allowed. */
  access: accessPolicy.nullable(),
  credentials: z.array(credential),
})

const route = z.object({
  id: z.uuid(),
  providerId: z.uuid(),
  /** Null: the model that was asked for. A `*` at its end stands for what the alias's `*` did. */
  providerModel: z.string().nullable(),
  priority: z.int(),
  weight: z.int().min(0),
  enabled: z.boolean(),
  /** See condition.ts. One that a proxy doesn't understand disables the route there. */
  condition: z.record(z.string(), z.unknown()).nullable(),
  inputPrice: price,
  outputPrice: price,
  cachedInputPrice: price,
})

const alias = z.object({
  id: z.uuid(),
  /** One that ends in `*` serves every model of that beginning; the longest wins. */
  name: z.string(),
  /** Null: for every project that has none of that name itself. */
  projectId: z.uuid().nullable(),
  enabled: z.boolean(),
  /** Not an enumeration here: a proxy that doesn't know a strategy goes by the weights. */
  strategy: z.string(),
  sticky: stickyPolicy,
  retry: retryPolicy,
  hedge: hedgePolicy.nullable(),
  /** Control planes of before there was a cache say nothing of it. */
  cache: cachePolicy.default(DEFAULT_CACHE),
  /** What becomes of parameters that a provider doesn't know. Not an enumeration here: one that a proxy doesn't know is DROP. */
  unknownParameters: z.string().default('DROP'),
  /** Over the providers' where set. */
  timeouts: timeouts.partial().nullable(),
  createdAt: z.iso.datetime(),
  routes: z.array(route),
})

/** What was used so far, as control knew it when this was sent: at least so much. */
const used = z.object({
  /** In the budget's window of that moment; see windowOf. */
  window: z.string().nullable(),
  spentUsd: z.string().regex(/^\d{1,31}(\.\d{1,12})?$/),
  requests: z.int().min(0),
})

const limited = {
  /** Null: none. */
  limits: limitsPolicy.nullable(),
  budget: budgetPolicy.nullable(),
  /** Null where there is neither a budget nor a quota, and where control could not tell. */
  used: used.nullable(),
}

const project = z.object({ id: z.uuid(), name: z.string(), active: z.boolean(), ...limited })

const secret = z.object({
  /** With the public id, by which it is found. */
  prefix: z.string(),
  /** SHA-256 in hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** When it ceases to be good, where another has taken its place. */
  until: z.iso.datetime().nullable(),
})

const token = z.object({
  id: z.uuid(),
  name: z.string(),
  projectId: z.uuid(),
  /** The one in use first. */
  secrets: z.array(secret).min(1),
  revoked: z.boolean(),
  expiresAt: z.iso.datetime().nullable(),
  /** Null: no quota. */
  maxRequests: maxRequests.nullable(),
  ...limited,
  /** Null: the default. */
  access: accessPolicy.nullable(),
})

/** The whole configuration at one revision. On its way it goes in parts; see snapshot-part.ts. */
export interface Snapshot {
  readonly format: typeof SNAPSHOT_FORMAT
  /** Goes up by one with each change of configuration. */
  readonly revision: number
  readonly providers: readonly SnapshotProvider[]
  readonly aliases: readonly SnapshotAlias[]
  readonly projects: readonly SnapshotProject[]
  readonly tokens: readonly SnapshotToken[]
}

export type SnapshotProvider = z.infer<typeof provider>
export type SnapshotCredential = z.infer<typeof credential>
export type SnapshotAlias = z.infer<typeof alias>
export type SnapshotRoute = z.infer<typeof route>
export type SnapshotProject = z.infer<typeof project>
export type SnapshotToken = z.infer<typeof token>

export type SnapshotSecret = z.infer<typeof secret>
export type SnapshotUsed = z.infer<typeof used>

/** Readers of each kind of thing. They throw an Error naming the first path that is wrong, without its value. */
export const readProvider = readerOf(provider, 'providers')
export const readAlias = readerOf(alias, 'aliases')
export const readProject = readerOf(project, 'projects')
export const readToken = readerOf(token, 'tokens')

function readerOf<S extends z.ZodType>(schema: S, list: string) {
  return (value: unknown, index: number): z.output<S> => parseAs(schema, value, 'snapshot', [list, index])
}
