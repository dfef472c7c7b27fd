import { isId } from '@millrace/shared'
import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { badInput } from '../graphql/errors.ts'
import { Allow } from '../graphql/guard.ts'
import { ProviderCredentialType, toCredential } from './credential.type.ts'
import { CreateProviderInput, ProviderType, toProvider, UpdateProviderInput } from './provider.type.ts'
import { ProviderTestResultType } from './test-result.type.ts'

@Resolver(() => ProviderType)
export class ProviderResolver {
  @Allow(Role.VIEWER)
  @Query(() => [ProviderType])
  async providers(@Ctx() { services }: Context): Promise<ProviderType[]> {
    return (await services.providers.list()).map(toProvider)
  }

  @Allow(Role.VIEWER)
  @Query(() => ProviderType, { nullable: true })
  async provider(
    @Ctx() { services, loaders }: Context,
    @Arg('id', () => ID, { nullable: true }) id?: string | null,
    @Arg('name', () => String, { nullable: true }) name?: string | null,
  ): Promise<ProviderType | null> {
    if (id == null && name == null) throw badInput('id', 'an id or a name is needed')
    const row = id != null ? isId(id) && (await loaders.provider.load(id)) : await services.providers.findByName(name!)
    return row ? toProvider(row) : null
  }

  @Allow(Role.EDITOR)
  @Mutation(() => ProviderType)
  async createProvider(
    @Ctx() { services, actor }: Context,
    @Arg('input', () => CreateProviderInput) input: CreateProviderInput,
  ): Promise<ProviderType> {
    return toProvider(await services.providers.create(actor, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => ProviderType)
  async updateProvider(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateProviderInput) input: UpdateProviderInput,
  ): Promise<ProviderType> {
    return toProvider(await services.providers.update(actor, id, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => Boolean, { description: 'Refused while routes use it.' })
  deleteProvider(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<boolean> {
    return services.providers.remove(actor, id)
  }

  @Allow(Role.EDITOR)
  @Mutation(() => ProviderTestResultType, {
    description:
      'Has one proxy send the provider one smallest request, with a key that serves every project, and waits for its answer for 30 s at most. The provider may charge for it. It is in no record, and nothing learns of it: no breaker, no limit, no cache.',
  })
  testProvider(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('model', () => String, {
      nullable: true,
      description: "The provider's own name of it. Null: that of one of its routes.",
    })
    model: string | null = null,
  ): Promise<ProviderTestResultType> {
    return services.providerTester.test(actor, id, model)
  }

  @FieldResolver(() => [ProviderCredentialType], {
    description: 'Upstream keys: never readable again, only their fingerprint.',
  })
  async credentials(@Root() { id }: ProviderType, @Ctx() { loaders }: Context): Promise<ProviderCredentialType[]> {
    return (await loaders.credentialsOfProvider.load(id)).map(toCredential)
  }
}
