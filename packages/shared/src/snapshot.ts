/**
 * The configuration at one revision, as a proxy is told it and as it keeps it on disk.
 * Must never know how it is stored (control's database) or how it is compiled (the proxy's Maps).
 */
import * as z from 'zod'

import { parseAs } from './parse.ts'
import { MAX_TIMEOUT_MS } from './provider.ts'
import { breakerPolicy, hedgePolicy, retryPolicy, stickyPolicy } from './routing/policies.ts'

/** Goes up when an older proxy could misread a newer document; additions that it may ignore don't count. */
export const SNAPSHOT_FORMAT = 2

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
  /** Over the providers' where set. */
  timeouts: timeouts.partial().nullable(),
  createdAt: z.iso.datetime(),
  routes: z.array(route),
})

const project = z.object({ id: z.uuid(), name: z.string(), active: z.boolean() })

const token = z.object({
  id: z.uuid(),
  name: z.string(),
  projectId: z.uuid(),
  /** SHA-256 in hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  revoked: z.boolean(),
  expiresAt: z.iso.datetime().nullable(),
  /** Whether its clients may bring an upstream key of their own. */
  ownKeys: z.boolean(),
})

/** All but what there may be thousands of. */
const frame = z.object({
  format: z.literal(SNAPSHOT_FORMAT),
  /** Goes up by one with each change of configuration. */
  revision: z.int().min(0),
  providers: z.array(provider),
  aliases: z.array(z.unknown()),
  projects: z.array(project),
  tokens: z.array(z.unknown()),
})

export type Snapshot = Omit<z.infer<typeof frame>, 'aliases' | 'tokens'> & {
  aliases: SnapshotAlias[]
  tokens: SnapshotToken[]
}
export type SnapshotProvider = z.infer<typeof provider>
export type SnapshotCredential = z.infer<typeof credential>
export type SnapshotAlias = z.infer<typeof alias>
export type SnapshotRoute = z.infer<typeof route>
export type SnapshotProject = z.infer<typeof project>
export type SnapshotToken = z.infer<typeof token>

/**
 * Reads a document that claims to be a snapshot, a piece at a time: whoever serves requests beside it can do so in between.
 * @throws Error naming the first path that is wrong, without its value
 */
export function* parseSnapshotInSteps(document: unknown): Generator<void, Snapshot> {
  const { aliases, tokens, ...rest } = parseAs(frame, document, WHAT)
  return {
    ...rest,
    aliases: yield* readEach(alias, aliases, 'aliases'),
    tokens: yield* readEach(token, tokens, 'tokens'),
  }
}

/** As {@link parseSnapshotInSteps}, at once. */
export function parseSnapshot(document: unknown): Snapshot {
  const steps = parseSnapshotInSteps(document)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

const WHAT = 'snapshot'

function* readEach<S extends z.ZodType>(
  schema: S,
  values: readonly unknown[],
  name: string,
): Generator<void, z.output<S>[]> {
  const found: z.output<S>[] = []
  for (const value of values) {
    found.push(parseAs(schema, value, WHAT, [name, found.length]))
    yield
  }
  return found
}
