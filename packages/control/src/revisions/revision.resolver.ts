import { Arg, Ctx, Int, Query, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import type { ConfigRevision } from './revision.entity.ts'
import { ConfigRevisionConnection, ConfigRevisionType, toRevision } from './revision.type.ts'
import { seenOf } from './seen.ts'

@Resolver(() => ConfigRevisionType)
export class RevisionResolver {
  @Allow(Role.VIEWER)
  @Query(() => ConfigRevisionType, {
    nullable: true,
    description: 'The newest, unless a number is given. Keys bound to projects see what is global or theirs.',
  })
  async configRevision(
    @Ctx() { services, scope }: Context,
    @Arg('number', () => Int, { nullable: true }) number: number | null = null,
  ): Promise<ConfigRevisionType | null> {
    const row = await services.revisions.find(scope, number)
    return row && toRevision(row)
  }

  @Allow(Role.VIEWER)
  @Query(() => ConfigRevisionConnection, { description: 'Newest first.' })
  configRevisions(
    @Ctx() { services, scope }: Context,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true }) after: string | null = null,
  ): Promise<Page<ConfigRevisionType>> {
    return services.revisions.page(scope, first, after)
  }

  @Allow(Role.VIEWER)
  @Subscription(() => ConfigRevisionType, {
    name: 'configRevisions',
    subscribe: ({ context: { services, scope } }: { context: Context }) =>
      services.revisionFeed.subscribe((revision) => seenOf(revision, scope) !== null),
    description: 'Revisions as they are made, by whichever control process.',
  })
  configRevisionFeed(@Root() { message }: Delivery<ConfigRevision>, @Ctx() { scope }: Context): ConfigRevisionType {
    return toRevision(seenOf(message, scope)!)
  }
}
