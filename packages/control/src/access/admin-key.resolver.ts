import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql'

import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { AdminKeyType, CreatedAdminKey, toAdminKey, Viewer } from './admin-key.type.ts'
import { Role } from './role.ts'

@Resolver(() => AdminKeyType)
export class AdminKeyResolver {
  @Allow(Role.ADMIN)
  @Query(() => Viewer)
  viewer(@Ctx() { viewer }: Context): Viewer {
    return viewer!
  }

  @Allow(Role.ADMIN)
  @Query(() => [AdminKeyType])
  async adminKeys(@Ctx() { services }: Context): Promise<AdminKeyType[]> {
    return (await services.adminKeys.list()).map(toAdminKey)
  }

  @Allow(Role.ADMIN)
  @Mutation(() => CreatedAdminKey)
  async createAdminKey(
    @Ctx() { services, actor }: Context,
    @Arg('name', () => String) name: string,
    @Arg('role', () => Role) role: Role,
  ): Promise<CreatedAdminKey> {
    const { adminKey, secret } = await services.adminKeys.create(actor, name, role)
    return { adminKey: toAdminKey(adminKey), secret }
  }

  @Allow(Role.ADMIN)
  @Mutation(() => AdminKeyType, { description: 'For good; its open WebSockets are closed. The last ADMIN key stays.' })
  async revokeAdminKey(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<AdminKeyType> {
    return toAdminKey(await services.adminKeys.revoke(actor, id))
  }
}
