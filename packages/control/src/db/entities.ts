/** Every entity, for the ORM's discovery. */
import { AdminKey } from '../access/admin-key.entity.ts'
import { Alias } from '../aliases/alias.entity.ts'
import { Route } from '../aliases/route.entity.ts'
import { AuditEvent } from '../audit/audit.entity.ts'
import { Project } from '../projects/project.entity.ts'
import { ProviderCredential } from '../providers/credential.entity.ts'
import { Provider } from '../providers/provider.entity.ts'
import { ProxyInstance } from '../proxies/proxy.entity.ts'
import { ConfigRevision } from '../revisions/revision.entity.ts'
import { Token } from '../tokens/token.entity.ts'

export const entities = [
  AdminKey,
  Alias,
  AuditEvent,
  ConfigRevision,
  Project,
  Provider,
  ProviderCredential,
  ProxyInstance,
  Route,
  Token,
] as const
