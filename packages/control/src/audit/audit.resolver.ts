import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import type { AuditEvent } from './audit.entity.ts'
import { AuditEventConnection, AuditEventType, AuditFilter, toAuditEvent } from './audit.type.ts'

@Resolver(() => AuditEventType)
export class AuditResolver {
  @Allow(Role.VIEWER)
  @Query(() => AuditEventConnection, { description: 'Newest first. Keys bound to projects see what concerns theirs.' })
  auditEvents(
    @Ctx() { services, scope }: Context,
    @Arg('filter', () => AuditFilter, { nullable: true }) filter: AuditFilter | null = null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true }) after: string | null = null,
  ): Promise<Page<AuditEventType>> {
    return services.audit.page(scope, filter ?? {}, first, after)
  }

  @Allow(Role.VIEWER)
  @Subscription(() => AuditEventType, {
    subscribe: ({ context: { services, scope } }: { context: Context }) =>
      services.auditFeed.subscribe(({ projectId }) => scope.isOwn(projectId)),
    description: 'Events as they are written, by whichever control process.',
  })
  auditFeed(@Root() { message, dropped }: Delivery<AuditEvent>): AuditEventType {
    return Object.assign(toAuditEvent(message), { dropped })
  }

  @FieldResolver(() => ProjectType, { nullable: true })
  async project(@Root() { projectId }: AuditEventType, @Ctx() { loaders }: Context): Promise<ProjectType | null> {
    const row = projectId === null ? null : await loaders.project.load(projectId)
    return row && toProject(row)
  }
}
