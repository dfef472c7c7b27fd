import type { GraphQLResolveInfo } from 'graphql'
import { Arg, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { selectedFields } from '../graphql/selection.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { ProviderType, toProvider } from '../providers/provider.type.ts'
import { TokenType, toToken } from '../tokens/token.type.ts'
import { UsageBucketType, UsageQuery } from './usage.type.ts'

const GONE = 'Null where it is not grouped by, or there is none any more.'

@Resolver(() => UsageBucketType)
export class UsageResolver {
  @Allow(Role.VIEWER)
  @Query(() => [UsageBucketType], {
    description:
      'What was used, exact at every moment but for percentiles. By start, then by dimensions. 10,000 buckets at most.',
  })
  usage(
    @Ctx() { services, scope }: Context,
    @Arg('query', () => UsageQuery) query: UsageQuery,
    @Info() info: GraphQLResolveInfo,
  ): Promise<UsageBucketType[]> {
    return services.usage.usage(scope, query, selectedFields(info))
  }

  @FieldResolver(() => ProjectType, { nullable: true, description: GONE })
  async project(
    @Root() { dimensions: { PROJECT: id } }: UsageBucketType,
    @Ctx() { loaders }: Context,
  ): Promise<ProjectType | null> {
    const row = id == null ? null : await loaders.project.load(id)
    return row && toProject(row)
  }

  @FieldResolver(() => TokenType, { nullable: true, description: GONE })
  async token(
    @Root() { dimensions: { TOKEN: id } }: UsageBucketType,
    @Ctx() { loaders }: Context,
  ): Promise<TokenType | null> {
    const row = id == null ? null : await loaders.token.load(id)
    return row && toToken(row)
  }

  @FieldResolver(() => ProviderType, { nullable: true, description: GONE })
  async provider(
    @Root() { dimensions: { PROVIDER: id } }: UsageBucketType,
    @Ctx() { loaders }: Context,
  ): Promise<ProviderType | null> {
    const row = id == null ? null : await loaders.provider.load(id)
    return row && toProvider(row)
  }
}
