import type { Snapshot, SnapshotAlias, SnapshotRoute } from '@millrace/shared'

import type {
  CompiledAlias,
  CompiledProject,
  CompiledProvider,
  CompiledRoute,
  CompiledSnapshot,
  CompiledToken,
} from './compiled.ts'
import { connectProvider, type CompileContext } from './connect-provider.ts'

/**
 * Makes a snapshot ready to serve by. What a part of it cannot mean here (an unknown provider kind, a credential that does
 * not open) disables that part, with a line in the log; the rest serves.
 * @throws Error if the snapshot contradicts itself
 */
export function compile(snapshot: Snapshot, context: CompileContext): CompiledSnapshot {
  const providers = new Map<string, CompiledProvider>()
  for (const provider of snapshot.providers) {
    const connected = connectProvider(provider, context)
    if (connected) providers.set(provider.id, connected)
  }
  const projects = compileProjects(snapshot, providers)
  const tokens = new Map<string, CompiledToken>()
  for (const { id, projectId, digest, revoked, expiresAt } of snapshot.tokens) {
    const project = projects.get(projectId)
    if (!project) throw new Error(`malformed snapshot: token ${id} names a project that is not in it`)
    tokens.set(digest, { id, project, revoked, expiresAt: expiresAt === null ? null : Date.parse(expiresAt) })
  }
  return { revision: snapshot.revision, tokens, providers: [...providers.values()] }
}

function compileProjects(
  snapshot: Snapshot,
  providers: ReadonlyMap<string, CompiledProvider>,
): Map<string, CompiledProject> {
  const globalAliases = new Map<string, CompiledAlias>()
  const own = new Map<string, Map<string, CompiledAlias>>()
  for (const alias of snapshot.aliases) {
    const compiled = compileAlias(alias, providers)
    if (alias.projectId === null) globalAliases.set(alias.name, compiled)
    else
      own.set(alias.projectId, (own.get(alias.projectId) ?? new Map<string, CompiledAlias>()).set(alias.name, compiled))
  }
  const projects = new Map<string, CompiledProject>()
  for (const { id, name, active } of snapshot.projects) {
    projects.set(id, { id, name, active, ownAliases: own.get(id) ?? NONE, globalAliases })
  }
  return projects
}

const NONE: ReadonlyMap<string, CompiledAlias> = new Map()

function compileAlias(alias: SnapshotAlias, providers: ReadonlyMap<string, CompiledProvider>): CompiledAlias {
  const { id, name, enabled } = alias
  const routes = alias.routes.flatMap((route) => compileRoute(route, providers))
  return { id, name, enabled, createdAt: Math.floor(Date.parse(alias.createdAt) / 1000), routes }
}

/** None where the route's provider is disabled or can't be used here. */
function compileRoute(route: SnapshotRoute, providers: ReadonlyMap<string, CompiledProvider>): CompiledRoute[] {
  const provider = providers.get(route.providerId)
  if (!provider) return []
  const { id, providerModel, priority, weight, enabled } = route
  return [{ id, provider, providerModel, priority, weight, enabled }]
}
