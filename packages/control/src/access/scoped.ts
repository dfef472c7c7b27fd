/** The one place that keeps what is out of a key's reach from being read as entities. */
import { Alias } from '../aliases/alias.entity.ts'
import { AuditEvent } from '../audit/audit.entity.ts'
import type { Em } from '../db/database.ts'
import { Project } from '../projects/project.entity.ts'
import { ProviderCredential } from '../providers/credential.entity.ts'
import { Token } from '../tokens/token.entity.ts'
import { AdminKey } from './admin-key.entity.ts'
import type { Scope } from './scope.ts'

/**
 * A unit of work in which rows out of reach are not there; nor are those that refer to them, a route of a hidden alias for
 * one, since the ORM joins what is filtered. Hazard: raw SQL sees them all.
 * @param em changed
 */
export function scoped(em: Em, { projects }: Scope): Em {
  if (projects === null) return em
  const own = { $in: [...projects] }
  const globalOrOwn = { $or: [{ project: null }, { project: own }] }
  em.addFilter({ name: 'ownProjects', entity: Project, cond: { id: own } })
  em.addFilter({ name: 'ownTokens', entity: Token, cond: { project: own } })
  em.addFilter({ name: 'ownAuditEvents', entity: AuditEvent, cond: { projectId: own } })
  em.addFilter({ name: 'globalOrOwnAliases', entity: Alias, cond: globalOrOwn })
  em.addFilter({ name: 'globalOrOwnCredentials', entity: ProviderCredential, cond: globalOrOwn })
  em.addFilter({
    name: 'globalOrOwnAdminKeys',
    entity: AdminKey,
    cond: { $or: [{ projects: null }, { projects: { $contained: [...projects] } }] },
  })
  return em
}
