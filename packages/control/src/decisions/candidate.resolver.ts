import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql'

import { RouteType, toRoute } from '../aliases/route.type.ts'
import type { Context } from '../graphql/context.ts'
import { ProviderType, toProvider } from '../providers/provider.type.ts'
import { RouteCandidateType } from './candidate.type.ts'

@Resolver(() => RouteCandidateType)
export class CandidateResolver {
  @FieldResolver(() => RouteType, { nullable: true, description: 'Null if there is none any more.' })
  async route(@Root() { routeId }: RouteCandidateType, @Ctx() { loaders }: Context): Promise<RouteType | null> {
    const row = routeId === null ? null : await loaders.route.load(routeId)
    return row && toRoute(row)
  }

  @FieldResolver(() => ProviderType, { nullable: true, description: 'Null if there is none any more.' })
  async provider(
    @Root() { providerId }: RouteCandidateType,
    @Ctx() { loaders }: Context,
  ): Promise<ProviderType | null> {
    const row = providerId === null ? null : await loaders.provider.load(providerId)
    return row && toProvider(row)
  }
}
