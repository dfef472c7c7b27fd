import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProviderType, toProvider } from '../providers/provider.type.ts'
import { AliasType, toAlias } from './alias.type.ts'
import { RouteInput, RouteType, toRoute, UpdateRouteInput } from './route.type.ts'

@Resolver(() => RouteType)
export class RouteResolver {
  @Allow(Role.EDITOR)
  @Mutation(() => RouteType)
  async addRoute(
    @Ctx() { services, actor }: Context,
    @Arg('alias', () => ID) alias: string,
    @Arg('input', () => RouteInput) input: RouteInput,
  ): Promise<RouteType> {
    return toRoute(await services.routes.addTo(actor, alias, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => RouteType)
  async updateRoute(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateRouteInput) input: UpdateRouteInput,
  ): Promise<RouteType> {
    return toRoute(await services.routes.update(actor, id, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => Boolean)
  deleteRoute(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<boolean> {
    return services.routes.remove(actor, id)
  }

  @FieldResolver(() => AliasType)
  async alias(@Root() { aliasId }: RouteType, @Ctx() { loaders }: Context): Promise<AliasType> {
    return toAlias((await loaders.alias.load(aliasId))!)
  }

  @FieldResolver(() => ProviderType)
  async provider(@Root() { providerId }: RouteType, @Ctx() { loaders }: Context): Promise<ProviderType> {
    return toProvider((await loaders.provider.load(providerId))!)
  }
}
