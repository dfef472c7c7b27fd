import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { DateTime } from '../graphql/scalars.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { CredentialInput, ProviderCredentialType, toCredential } from './credential.type.ts'

@Resolver(() => ProviderCredentialType)
export class CredentialResolver {
  @Allow(Role.EDITOR)
  @Mutation(() => ProviderCredentialType)
  async addCredential(
    @Ctx() { services, actor }: Context,
    @Arg('provider', () => ID) provider: string,
    @Arg('input', () => CredentialInput) input: CredentialInput,
  ): Promise<ProviderCredentialType> {
    return toCredential(await services.credentials.addTo(actor, provider, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => ProviderCredentialType)
  async setCredentialEnabled(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('enabled', () => Boolean) enabled: boolean,
  ): Promise<ProviderCredentialType> {
    return toCredential(await services.credentials.setEnabled(actor, id, enabled))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => Boolean)
  deleteCredential(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<boolean> {
    return services.credentials.remove(actor, id)
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'When the last request that it was tried for began, to the minute. Of a key that several projects have: for any of them.',
  })
  lastUsedAt(@Root() credential: ProviderCredentialType, @Ctx() { loaders }: Context): Promise<Date | null> {
    return loaders.credentialUsed.load(credential)
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
