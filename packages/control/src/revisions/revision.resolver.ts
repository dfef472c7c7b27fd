import { Arg, Ctx, Int, Query, Resolver } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ConfigRevisionConnection, ConfigRevisionType, toRevision } from './revision.type.ts'

@Resolver(() => ConfigRevisionType)
export class RevisionResolver {
  @Allow(Role.ADMIN)
  @Query(() => ConfigRevisionType, { nullable: true, description: 'The newest, unless a number is given.' })
  async configRevision(
    @Ctx() { services }: Context,
    @Arg('number', () => Int, { nullable: true }) number: number | null = null,
  ): Promise<ConfigRevisionType | null> {
    const row = await services.revisions.find(number)
    return row && toRevision(row)
  }

  @Allow(Role.ADMIN)
  @Query(() => ConfigRevisionConnection, { description: 'Newest first.' })
  configRevisions(
    @Ctx() { services }: Context,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true }) after: string | null = null,
  ): Promise<Page<ConfigRevisionType>> {
    return services.revisions.page(first, after)
  }
}
