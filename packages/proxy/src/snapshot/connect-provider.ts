import {
  credentialContext,
  envReferenceAllowed,
  needsCredential,
  open,
  ROUTED_ENDPOINTS,
  servesEndpoint,
  type MasterKey,
  type SnapshotCredential,
  type SnapshotProvider,
  type Timeouts,
} from '@millrace/shared'
import type { Logger } from 'pino'

import { compileAccess } from '../access/access.ts'
import { headerText } from '../header-text.ts'
import type { Health } from '../health/health.ts'
import { providerOf } from '../providers/index.ts'
import type { Connection, Provider } from '../providers/provider.ts'
import type { Pools } from '../upstream/pools.ts'
import type { CompiledProvider, Credential } from './compiled.ts'

/** What a snapshot is compiled with: the keys and the environment of this process, and what it has learnt. */
export interface CompileContext {
  readonly pools: Pools
  readonly health: Health
  /** What upstream keys may be sealed under. */
  readonly masterKeys: readonly MasterKey[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Globs of the variables that `env:` references may read. */
  readonly envAllow: readonly string[]
  readonly log: Logger
}

/** A provider, and the ways to it: one for each connect time-out that its routes have. */
export class ConnectedProvider {
  readonly compiled: CompiledProvider
  /** The ids of its upstream keys that can't be used here. */
  readonly unopened: readonly string[]
  private readonly connections = new Map<number, Connection>()
  private readonly connect: ((timeouts: Timeouts) => Connection) | null

  constructor(
    compiled: CompiledProvider,
    unopened: readonly string[],
    connect: ((timeouts: Timeouts) => Connection) | null,
  ) {
    this.compiled = compiled
    this.unopened = unopened
    this.connect = connect
  }

  /** Null for a provider that is disabled or can't be used here. */
  connection(timeouts: Timeouts): Connection | null {
    if (this.connect === null) return null
    let connection = this.connections.get(timeouts.connect)
    if (!connection) {
      connection = this.connect(timeouts)
      this.connections.set(timeouts.connect, connection)
    }
    return connection
  }

  get opened(): Iterable<Connection> {
    return this.connections.values()
  }
}

/** One that is disabled or can't be used here has no connection; the log says why. */
export function connectProvider(provider: SnapshotProvider, context: CompileContext): ConnectedProvider {
  const implementation = providerOf(provider.kind)
  const log = context.log.child({ provider: provider.name })
  const connect = implementation && provider.enabled ? connector(provider, implementation, context, log) : null
  if (!implementation && provider.enabled) {
    log.warn(`provider kind ${provider.kind} is unknown to this version: its routes are disabled`)
  }
  const shared: Credential[] = []
  const byProject = new Map<string, Credential[]>()
  const unopened: string[] = []
  for (const credential of connect ? provider.credentials : []) {
    const { id, fingerprint, projectId } = credential
    const own = projectId === null ? null : ownOf(byProject, projectId)
    const apiKey = openCredential(provider.id, credential, context, log)
    if (apiKey === null) {
      unopened.push(id)
      continue
    }
    const headers = implementation!.authorize(apiKey)
    const opened = { fingerprint, apiKey, headers, health: context.health.credentialOf(id) }
    if (own === null) shared.push({ source: 'PROVIDER', ...opened })
    else own.push({ source: 'PROJECT', ...opened })
  }
  for (const [projectId, own] of byProject)
    if (own.length === 0)
      log.error({ projectId }, 'none of the upstream keys of the project can be used: its requests do not go there')
  const compiled: CompiledProvider = {
    id: provider.id,
    name: provider.name,
    headerName: headerText(provider.name),
    kind: provider.kind,
    baseUrl: provider.baseUrl,
    direct: provider.direct,
    access: compileAccess(provider.access),
    health: context.health.providerOf(provider),
    unserved: connect === null ? NONE : unservedBy(provider),
    authorize: (apiKey) => implementation?.authorize(apiKey) ?? [],
    needsCredential: needsCredential(provider),
    sharedCredentials: shared,
    projectCredentials: byProject,
    directAlias: null,
  }
  return new ConnectedProvider(compiled, unopened, connect)
}

const NONE: ReadonlySet<string> = new Set()

function unservedBy(provider: SnapshotProvider): ReadonlySet<string> {
  return new Set(ROUTED_ENDPOINTS.filter((endpoint) => !servesEndpoint(provider, endpoint)))
}

/** The keys of a project that has any here: it goes with no others, though none should open. */
function ownOf(byProject: Map<string, Credential[]>, projectId: string): Credential[] {
  let own = byProject.get(projectId)
  if (own === undefined) byProject.set(projectId, (own = []))
  return own
}

/** Null if the provider's settings or address can't be used. */
function connector(
  provider: SnapshotProvider,
  implementation: Provider,
  { pools }: CompileContext,
  log: Logger,
): ((timeouts: Timeouts) => Connection) | null {
  const connect = (timeouts: Timeouts): Connection => implementation.connect({ ...provider, timeouts }, pools)
  try {
    connect(provider.timeouts)
    return connect
  } catch (error) {
    log.error(`provider cannot be used, its routes are disabled: ${(error as Error).message}`)
    return null
  }
}

function openCredential(
  providerId: string,
  credential: SnapshotCredential,
  context: CompileContext,
  log: Logger,
): string | null {
  const { id, secret, fingerprint } = credential
  if ('env' in secret) {
    if (!envReferenceAllowed(secret.env, context.envAllow)) {
      log.warn(`credential env:${secret.env} is not allowed by MILLRACE_ENV_ALLOW: it is not used`)
      return null
    }
    const value = context.env[secret.env]?.trim()
    if (!value) log.warn(`credential env:${secret.env} is not set in the proxy's environment: it is not used`)
    return value || null
  }
  try {
    return open(secret.sealed, context.masterKeys, credentialContext(providerId, id))
  } catch (error) {
    log.error(`credential ${fingerprint} does not open, it is not used: ${(error as Error).message}`)
    return null
  }
}
