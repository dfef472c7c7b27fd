import { isId } from '@millrace/shared'
import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { BudgetType, toBudget } from '../limits/budget.type.ts'
import { CreateProjectInput, ProjectType, toProject, UpdateProjectInput } from './project.type.ts'

@Resolver(() => ProjectType)
export class ProjectResolver {
  @Allow(Role.VIEWER)
  @Query(() => [ProjectType])
  async projects(@Ctx() { services, scope }: Context): Promise<ProjectType[]> {
    return (await services.projects.list(scope)).map(toProject)
  }

  @Allow(Role.VIEWER)
  @Query(() => ProjectType, { nullable: true })
  async project(@Ctx() { loaders }: Context, @Arg('id', () => ID) id: string): Promise<ProjectType | null> {
    const row = isId(id) ? await loaders.project.load(id) : null
    return row && toProject(row)
  }

  @Allow(Role.EDITOR)
  @Mutation(() => ProjectType)
  async createProject(
    @Ctx() { services, actor }: Context,
    @Arg('input', () => CreateProjectInput) input: CreateProjectInput,
  ): Promise<ProjectType> {
    return toProject(await services.projects.create(actor, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => ProjectType)
  async updateProject(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateProjectInput) input: UpdateProjectInput,
  ): Promise<ProjectType> {
    return toProject(await services.projects.update(actor, id, input))
  }

  @FieldResolver(() => BudgetType, {
    nullable: true,
    description: "Of all of its tokens together, above each one's own.",
  })
  async budget(
    @Root() { budgetPolicy, usedSubject }: ProjectType,
    @Ctx() { loaders }: Context,
  ): Promise<BudgetType | null> {
    return budgetPolicy && toBudget(budgetPolicy, (await loaders.used.load(usedSubject)).spentUsd)
  }
}
