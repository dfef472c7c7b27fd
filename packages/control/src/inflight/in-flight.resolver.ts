import { Arg, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { ProviderType, toProvider } from '../providers/provider.type.ts'
import { TokenType, toToken } from '../tokens/token.type.ts'
import { InFlightRequestType, toInFlight } from './in-flight.type.ts'

@Resolver(() => InFlightRequestType)
export class InFlightResolver {
  @Allow(Role.VIEWER)
  @Query(() => [InFlightRequestType], {
    description:
      'What all proxies are serving now, of what the key sees: the 1,000 requests that run longest, these first. Those of a proxy that does not answer within a second are missing.',
  })
  async inFlightRequests(@Ctx() { services, scope }: Context): Promise<InFlightRequestType[]> {
    return (await services.inFlight.list(scope)).map(toInFlight)
  }

  @Allow(Role.EDITOR)
  @Mutation(() => Boolean, {
    description:
      'Ends a request that is being served, by its id: its client gets an error, and its record says admin_cancelled. False: it is not being served any more, or not of what the key may change, or its proxy does not answer within a second.',
  })
  cancelRequest(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<boolean> {
    return services.inFlight.cancel(actor, id)
  }

  @FieldResolver(() => ProjectType, { nullable: true })
  async project(@Root() { projectId }: InFlightRequestType, @Ctx() { loaders }: Context): Promise<ProjectType | null> {
    const row = projectId === null ? null : await loaders.project.load(projectId)
    return row && toProject(row)
  }

  @FieldResolver(() => TokenType, { nullable: true })
  async token(@Root() { tokenId }: InFlightRequestType, @Ctx() { loaders }: Context): Promise<TokenType | null> {
    const row = tokenId === null ? null : await loaders.token.load(tokenId)
    return row && toToken(row)
  }

  @FieldResolver(() => ProviderType, { nullable: true, description: 'Null if there is none any more.' })
  async provider(
    @Root() { providerId }: InFlightRequestType,
    @Ctx() { loaders }: Context,
  ): Promise<ProviderType | null> {
    const row = providerId === null ? null : await loaders.provider.load(providerId)
    return row && toProvider(row)
  }
}
