import {
  credentialContext,
  envReferenceAllowed,
  open,
  type MasterKey,
  type SnapshotCredential,
  type SnapshotProvider,
} from '@millrace/shared'
import type { Logger } from 'pino'

import { headerText } from '../header-text.ts'
import { providerOf } from '../providers/index.ts'
import type { Pools } from '../upstream/pools.ts'
import type { CompiledProvider, Credential } from './compiled.ts'

/** What a snapshot is compiled with: the keys and the environment of this process. */
export interface CompileContext {
  readonly pools: Pools
  readonly masterKey: MasterKey
  readonly env: Readonly<Record<string, string | undefined>>
  /** Globs of the variables that `env:` references may read. */
  readonly envAllow: readonly string[]
  readonly log: Logger
}

/** Null for a provider that is disabled or can't be used here; the log says why. */
export function connectProvider(provider: SnapshotProvider, context: CompileContext): CompiledProvider | null {
  if (!provider.enabled) return null
  const implementation = providerOf(provider.kind)
  const log = context.log.child({ provider: provider.name })
  if (!implementation) {
    log.warn(`provider kind ${provider.kind} is unknown to this version: its routes are disabled`)
    return null
  }
  try {
    const connection = implementation.connect(provider, context.pools)
    const shared: Credential[] = []
    const byProject = new Map<string, Credential[]>()
    for (const credential of provider.credentials) {
      const apiKey = openCredential(provider.id, credential, context, log)
      if (apiKey === null) continue
      const { fingerprint, projectId } = credential
      const headers = implementation.authorize(apiKey)
      if (projectId === null) shared.push({ source: 'PROVIDER', fingerprint, apiKey, headers })
      else
        byProject.set(projectId, [
          ...(byProject.get(projectId) ?? []),
          { source: 'PROJECT', fingerprint, apiKey, headers },
        ])
    }
    return {
      id: provider.id,
      name: provider.name,
      headerName: headerText(provider.name),
      timeouts: provider.timeouts,
      connection,
      // A provider that has keys, none of which opens here, must not be asked without one.
      needsCredential: implementation.needsCredential || provider.credentials.length > 0,
      sharedCredentials: shared,
      projectCredentials: byProject,
    }
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
    return open(secret.sealed, [context.masterKey], credentialContext(providerId, id))
  } catch (error) {
    log.error(`credential ${fingerprint} does not open, it is not used: ${(error as Error).message}`)
    return null
  }
}
