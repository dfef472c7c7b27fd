import { isId } from '@millrace/shared'
import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { CreateProjectInput, ProjectType, toProject, UpdateProjectInput } from './project.type.ts'

@Resolver(() => ProjectType)
export class ProjectResolver {
  @Allow(Role.ADMIN)
  @Query(() => [ProjectType])
  async projects(@Ctx() { services }: Context): Promise<ProjectType[]> {
    return (await services.projects.list()).map(toProject)
  }

  @Allow(Role.ADMIN)
  @Query(() => ProjectType, { nullable: true })
  async project(@Ctx() { loaders }: Context, @Arg('id', () => ID) id: string): Promise<ProjectType | null> {
    const row = isId(id) ? await loaders.project.load(id) : null
    return row && toProject(row)
  }

  @Allow(Role.ADMIN)
  @Mutation(() => ProjectType)
  async createProject(
    @Ctx() { services, actor }: Context,
    @Arg('input', () => CreateProjectInput) input: CreateProjectInput,
  ): Promise<ProjectType> {
    return toProject(await services.projects.create(actor, input))
  }

  @Allow(Role.ADMIN)
  @Mutation(() => ProjectType)
  async updateProject(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateProjectInput) input: UpdateProjectInput,
  ): Promise<ProjectType> {
    return toProject(await services.projects.update(actor, id, input))
  }
}
