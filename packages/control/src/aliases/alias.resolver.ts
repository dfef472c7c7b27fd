import { isId } from '@millrace/shared'
import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { badInput } from '../graphql/errors.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { AliasType, CreateAliasInput, toAlias, UpdateAliasInput } from './alias.type.ts'
import { RouteType, toRoute } from './route.type.ts'

@Resolver(() => AliasType)
export class AliasResolver {
  @Allow(Role.VIEWER)
  @Query(() => [AliasType], { description: "All, or a project's own." })
  async aliases(
    @Ctx() { services, scope }: Context,
    @Arg('project', () => ID, { nullable: true }) project: string | null = null,
  ): Promise<AliasType[]> {
    return (await services.aliases.list(scope, project)).map(toAlias)
  }

  @Allow(Role.VIEWER)
  @Query(() => AliasType, {
    nullable: true,
    description: "By id, or by name: the project's own, or without one the global alias.",
  })
  async alias(
    @Ctx() { services, loaders, scope }: Context,
    @Arg('id', () => ID, { nullable: true }) id: string | null = null,
    @Arg('name', () => String, { nullable: true }) name: string | null = null,
    @Arg('project', () => ID, { nullable: true }) project: string | null = null,
  ): Promise<AliasType | null> {
    if (id === null && name === null) throw badInput('id', 'an id or a name is needed')
    const row =
      id === null
        ? await services.aliases.findByName(scope, name!, project)
        : isId(id) && (await loaders.alias.load(id))
    return row ? toAlias(row) : null
  }

  @Allow(Role.EDITOR)
  @Mutation(() => AliasType)
  async createAlias(
    @Ctx() { services, actor }: Context,
    @Arg('input', () => CreateAliasInput) input: CreateAliasInput,
  ): Promise<AliasType> {
    return toAlias(await services.aliases.create(actor, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => AliasType)
  async updateAlias(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateAliasInput) input: UpdateAliasInput,
  ): Promise<AliasType> {
    return toAlias(await services.aliases.update(actor, id, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => Boolean, { description: 'With its routes.' })
  deleteAlias(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<boolean> {
    return services.aliases.remove(actor, id)
  }

  @FieldResolver(() => ProjectType, { nullable: true })
  async project(@Root() { projectId }: AliasType, @Ctx() { loaders }: Context): Promise<ProjectType | null> {
    const row = projectId === null ? null : await loaders.project.load(projectId)
    return row && toProject(row)
  }

  @FieldResolver(() => [RouteType])
  async routes(@Root() { id }: AliasType, @Ctx() { loaders }: Context): Promise<RouteType[]> {
    return (await loaders.routesOfAlias.load(id)).map(toRoute)
  }
}
