import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { AuditEventConnection, AuditEventType, AuditFilter } from './audit.type.ts'

@Resolver(() => AuditEventType)
export class AuditResolver {
  @Allow(Role.ADMIN)
  @Query(() => AuditEventConnection, { description: 'Newest first.' })
  auditEvents(
    @Ctx() { services }: Context,
    @Arg('filter', () => AuditFilter, { nullable: true }) filter: AuditFilter | null = null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true }) after: string | null = null,
  ): Promise<Page<AuditEventType>> {
    return services.audit.page(filter ?? {}, first, after)
  }

  @FieldResolver(() => ProjectType, { nullable: true })
  async project(@Root() { projectId }: AuditEventType, @Ctx() { loaders }: Context): Promise<ProjectType | null> {
    const row = projectId === null ? null : await loaders.project.load(projectId)
    return row && toProject(row)
  }
}
