import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { CredentialInput, ProviderCredentialType, toCredential } from './credential.type.ts'

@Resolver(() => ProviderCredentialType)
export class CredentialResolver {
  @Allow(Role.ADMIN)
  @Mutation(() => ProviderCredentialType)
  async addCredential(
    @Ctx() { services, actor }: Context,
    @Arg('provider', () => ID) provider: string,
    @Arg('input', () => CredentialInput) input: CredentialInput,
  ): Promise<ProviderCredentialType> {
    return toCredential(await services.credentials.addTo(actor, provider, input))
  }

  @Allow(Role.ADMIN)
  @Mutation(() => ProviderCredentialType)
  async setCredentialEnabled(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('enabled', () => Boolean) enabled: boolean,
  ): Promise<ProviderCredentialType> {
    return toCredential(await services.credentials.setEnabled(actor, id, enabled))
  }

  @Allow(Role.ADMIN)
  @Mutation(() => Boolean)
  deleteCredential(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<boolean> {
    return services.credentials.remove(actor, id)
  }

  @FieldResolver(() => ProjectType, {
    nullable: true,
    description: 'Null: serves every project. Otherwise only this one, and before the shared ones.',
  })
  async project(
    @Root() { projectId }: ProviderCredentialType,
    @Ctx() { loaders }: Context,
  ): Promise<ProjectType | null> {
    const row = projectId === null ? null : await loaders.project.load(projectId)
    return row && toProject(row)
  }
}
