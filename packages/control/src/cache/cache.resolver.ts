import { Arg, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { CacheStatsType, PurgeCacheInput } from './cache.type.ts'

@Resolver()
export class CacheResolver {
  @Allow(Role.VIEWER)
  @Query(() => CacheStatsType, { description: "The whole fleet's, whatever the key is bound to: as proxies are." })
  cacheStats(@Ctx() { services }: Context): Promise<CacheStatsType> {
    return services.proxies.cacheStats()
  }

  @Allow(Role.EDITOR)
  @Mutation(() => Int, {
    description:
      'Has every proxy forget stored answers. How many went, as far as the proxies that are online have told within 2 seconds; who was away carries it out when it is back. A key that is bound purges its own projects.',
  })
  purgeCache(
    @Ctx() { services, actor }: Context,
    @Arg('input', () => PurgeCacheInput) input: PurgeCacheInput,
  ): Promise<number> {
    return services.purges.purge(actor, input)
  }
}
