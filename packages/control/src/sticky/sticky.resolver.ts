import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import { AliasType, toAlias } from '../aliases/alias.type.ts'
import { RouteType, toRoute } from '../aliases/route.type.ts'
import type { Context } from '../graphql/context.ts'
import { notFound } from '../graphql/errors.ts'
import { Allow } from '../graphql/guard.ts'
import { StickyBindingType } from './binding.type.ts'

@Resolver(() => StickyBindingType)
export class StickyResolver {
  @Allow(Role.VIEWER)
  @Query(() => [StickyBindingType], { description: 'Live ones, in the order of their keys.' })
  stickyBindings(
    @Ctx() { services, scope }: Context,
    @Arg('alias', () => ID) alias: string,
    @Arg('key', () => String, { nullable: true, description: 'Only the binding of this key.' }) key:
      | string
      | null = null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 100, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true, description: 'The last key of the page before.' }) after:
      | string
      | null = null,
  ): Promise<StickyBindingType[]> {
    return services.sticky.list(scope, alias, key, first, after)
  }

  @Allow(Role.EDITOR)
  @Mutation(() => Int, {
    description: "Forgets an alias's bindings, or the one of a key, in every proxy. How many there were.",
  })
  clearStickyBindings(
    @Ctx() { services, actor }: Context,
    @Arg('alias', () => ID) alias: string,
    @Arg('key', () => String, { nullable: true }) key: string | null = null,
  ): Promise<number> {
    return services.sticky.clear(actor, alias, key)
  }

  @FieldResolver(() => AliasType)
  async alias(@Root() { aliasId }: StickyBindingType, @Ctx() { loaders }: Context): Promise<AliasType> {
    const row = await loaders.alias.load(aliasId)
    if (!row) throw notFound('alias')
    return toAlias(row)
  }

  @FieldResolver(() => RouteType)
  async route(@Root() { routeId }: StickyBindingType, @Ctx() { loaders }: Context): Promise<RouteType> {
    const row = await loaders.route.load(routeId)
    if (!row) throw notFound('route')
    return toRoute(row)
  }
}
