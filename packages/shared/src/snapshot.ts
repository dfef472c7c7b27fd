/**
 * The configuration at one revision, as a proxy is told it and as it keeps it on disk.
 * Must never know how it is stored (control's database) or how it is compiled (the proxy's Maps).
 */
import * as z from 'zod'

import { MAX_TIMEOUT_MS } from './provider.ts'

/** Goes up when an older proxy could misread a newer document; additions that it may ignore don't count. */
export const SNAPSHOT_FORMAT = 1

const milliseconds = z.int().min(1).max(MAX_TIMEOUT_MS)

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
  timeouts: z.object({ connect: milliseconds, firstToken: milliseconds, idle: milliseconds, total: milliseconds }),
  settings: z.record(z.string(), z.unknown()),
  credentials: z.array(credential),
})

const route = z.object({
  id: z.uuid(),
  providerId: z.uuid(),
  /** Null: the model that was asked for. */
  providerModel: z.string().nullable(),
  priority: z.int(),
  weight: z.int().min(0),
  enabled: z.boolean(),
})

const alias = z.object({
  id: z.uuid(),
  name: z.string(),
  /** Null: for every project that has none of that name itself. */
  projectId: z.uuid().nullable(),
  enabled: z.boolean(),
  strategy: z.string(),
  createdAt: z.iso.datetime(),
  routes: z.array(route),
})

const project = z.object({ id: z.uuid(), name: z.string(), active: z.boolean() })

const token = z.object({
  id: z.uuid(),
  projectId: z.uuid(),
  /** SHA-256 in hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  revoked: z.boolean(),
  expiresAt: z.iso.datetime().nullable(),
})

const snapshot = z.object({
  format: z.literal(SNAPSHOT_FORMAT),
  /** Goes up by one with each change of configuration. */
  revision: z.int().min(0),
  providers: z.array(provider),
  aliases: z.array(alias),
  projects: z.array(project),
  tokens: z.array(token),
})

export type Snapshot = z.infer<typeof snapshot>
export type SnapshotProvider = z.infer<typeof provider>
export type SnapshotCredential = z.infer<typeof credential>
export type SnapshotAlias = z.infer<typeof alias>
export type SnapshotRoute = z.infer<typeof route>
export type SnapshotProject = z.infer<typeof project>
export type SnapshotToken = z.infer<typeof token>

/**
 * Reads a document that claims to be a snapshot.
 * @throws Error naming the first path that is wrong, without its value
 */
export function parseSnapshot(document: unknown): Snapshot {
  const result = snapshot.safeParse(document)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new Error(`malformed snapshot: ${issue.path.join('.') || 'document'}: ${issue.message}`)
}
