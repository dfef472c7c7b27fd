import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql'

import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType } from '../projects/project.type.ts'
import { toViewer, ViewerType } from './admin-key.type.ts'
import { boundProjects } from './bound-projects.ts'
import { Role } from './role.ts'

@Resolver(() => ViewerType)
export class ViewerResolver {
  @Allow(Role.VIEWER, Role.PROXY)
  @Query(() => ViewerType)
  viewer(@Ctx() { viewer }: Context): ViewerType {
    return toViewer(viewer!)
  }

  @FieldResolver(() => [ProjectType], { nullable: true, description: 'Null: the key is bound to none.' })
  projects(@Root() { projectIds }: ViewerType, @Ctx() { loaders }: Context): Promise<ProjectType[] | null> {
    return boundProjects(projectIds, loaders)
  }
}
