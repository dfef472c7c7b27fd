import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'

import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType } from '../projects/project.type.ts'
import { AdminKeyType, CreatedAdminKey, toAdminKey } from './admin-key.type.ts'
import { boundProjects } from './bound-projects.ts'
import { Role } from './role.ts'

@Resolver(() => AdminKeyType)
export class AdminKeyResolver {
  @Allow(Role.ADMIN)
  @Query(() => [AdminKeyType])
  async adminKeys(@Ctx() { services, scope }: Context): Promise<AdminKeyType[]> {
    return (await services.adminKeys.list(scope)).map(toAdminKey)
  }

  @Allow(Role.ADMIN)
  @Mutation(() => CreatedAdminKey)
  async createAdminKey(
    @Ctx() { services, actor }: Context,
    @Arg('name', () => String) name: string,
    @Arg('role', () => Role) role: Role,
    @Arg('projects', () => [ID], {
      nullable: true,
      description:
        'Binds it to these: it reads what is global and theirs, and changes only what is theirs. Not for PROXY.',
    })
    projects: string[] | null = null,
  ): Promise<CreatedAdminKey> {
    const { adminKey, secret } = await services.adminKeys.create(actor, { name, role, projects })
    return { adminKey: toAdminKey(adminKey), secret }
  }

  @Allow(Role.ADMIN)
  @Mutation(() => AdminKeyType, {
    description: 'For good; its open WebSockets are closed. The last ADMIN key that is bound to no projects stays.',
  })
  async revokeAdminKey(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<AdminKeyType> {
    return toAdminKey(await services.adminKeys.revoke(actor, id))
  }

  @FieldResolver(() => [ProjectType], {
    nullable: true,
    description: 'Null: every project. Otherwise the key sees and changes only these.',
  })
  projects(@Root() { projectIds }: AdminKeyType, @Ctx() { loaders }: Context): Promise<ProjectType[] | null> {
    return boundProjects(projectIds, loaders)
  }
}
