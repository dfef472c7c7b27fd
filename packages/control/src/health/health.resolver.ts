import type { BreakerState } from '@millrace/shared'
import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Context } from '../graphql/context.ts'
import { notFound } from '../graphql/errors.ts'
import { Allow } from '../graphql/guard.ts'
import type { Provider } from '../providers/provider.entity.ts'
import { ProviderType, toProvider } from '../providers/provider.type.ts'
import { aggregate } from './aggregate.ts'
import { BreakerStateEnum, ProviderHealthType } from './health.type.ts'
import type { HealthChange } from './watcher.ts'

/** A provider of which it is known already how it does. */
type KnownProvider = ProviderType & { readonly knownHealth?: ProviderHealthType }

@Resolver(() => ProviderType)
export class HealthResolver {
  @FieldResolver(() => ProviderHealthType)
  async health(@Root() provider: KnownProvider, @Ctx() { services, scope }: Context): Promise<ProviderHealthType> {
    const health = provider.knownHealth ?? (await healthOf(provider, services))
    return scope.projects === null ? health : Object.assign(new ProviderHealthType(), health, { lastError: null })
  }

  @Allow(Role.EDITOR)
  @Mutation(() => ProviderHealthType, {
    description: 'FORCED_OPEN, FORCED_CLOSED, or CLOSED to hand it back to the breaker.',
  })
  async setBreaker(
    @Ctx() { services, actor }: Context,
    @Arg('provider', () => ID) provider: string,
    @Arg('state', () => BreakerStateEnum) state: BreakerState,
  ): Promise<ProviderHealthType> {
    return healthOf(await services.providers.setBreaker(actor, provider, state), services)
  }

  @Allow(Role.VIEWER)
  @Subscription(() => ProviderType, {
    subscribe: ({ context }: { context: Context }) => context.services.healthChanges.subscribe(),
    description: 'Providers whose health has changed.',
  })
  async providerHealth(
    @Root() { message: { providerId, health } }: Delivery<HealthChange>,
    @Ctx() { loaders }: Context,
  ): Promise<KnownProvider> {
    const row = await loaders.provider.load(providerId)
    if (!row) throw notFound('provider')
    return Object.assign(toProvider(row), { knownHealth: health })
  }
}

async function healthOf(
  { id, forcedBreaker }: Pick<Provider, 'id' | 'forcedBreaker'>,
  { fleet }: Context['services'],
): Promise<ProviderHealthType> {
  const { providers } = await fleet.current()
  return aggregate(providers.get(id) ?? [], forcedBreaker)
}
