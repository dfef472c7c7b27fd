import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import { AliasType, toAlias } from '../aliases/alias.type.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { badInput } from '../graphql/errors.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { ProviderType, toProvider } from '../providers/provider.type.ts'
import { TokenType, toToken } from '../tokens/token.type.ts'
import { RequestFilter } from './request.filter.ts'
import { RequestRecordConnection, RequestRecordType, toRequest } from './request.type.ts'

@Resolver(() => RequestRecordType)
export class RequestResolver {
  @Allow(Role.VIEWER)
  @Query(() => RequestRecordConnection, { description: 'Newest first. totalCount is null.' })
  requests(
    @Ctx() { services, scope }: Context,
    @Arg('filter', () => RequestFilter, { nullable: true }) filter: RequestFilter | null = null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true }) after: string | null = null,
  ): Promise<Page<RequestRecordType>> {
    return services.requests.page(scope, filter, first, after)
  }

  @Allow(Role.VIEWER)
  @Query(() => RequestRecordType, { nullable: true, description: 'By id, or the newest of that requestId.' })
  async request(
    @Ctx() { services, scope }: Context,
    @Arg('id', () => ID, { nullable: true }) id: string | null = null,
    @Arg('requestId', () => String, { nullable: true }) requestId: string | null = null,
  ): Promise<RequestRecordType | null> {
    if (id === null && requestId === null) throw badInput('id', 'an id or a requestId is needed')
    const record =
      id === null
        ? await services.requests.findByRequestId(scope, requestId!)
        : await services.requests.findById(scope, id)
    return record && toRequest(record)
  }

  @FieldResolver(() => ProjectType, { nullable: true })
  async project(@Root() { projectId }: RequestRecordType, @Ctx() { loaders }: Context): Promise<ProjectType | null> {
    const row = projectId === null ? null : await loaders.project.load(projectId)
    return row && toProject(row)
  }

  @FieldResolver(() => TokenType, { nullable: true })
  async token(@Root() { tokenId }: RequestRecordType, @Ctx() { loaders }: Context): Promise<TokenType | null> {
    const row = tokenId === null ? null : await loaders.token.load(tokenId)
    return row && toToken(row)
  }

  @FieldResolver(() => AliasType, { nullable: true, description: 'Null if there is none any more.' })
  async alias(@Root() { aliasId }: RequestRecordType, @Ctx() { loaders }: Context): Promise<AliasType | null> {
    const row = aliasId === null ? null : await loaders.alias.load(aliasId)
    return row && toAlias(row)
  }

  @FieldResolver(() => ProviderType, { nullable: true, description: 'Null if there is none any more.' })
  async provider(@Root() { providerId }: RequestRecordType, @Ctx() { loaders }: Context): Promise<ProviderType | null> {
    const row = providerId === null ? null : await loaders.provider.load(providerId)
    return row && toProvider(row)
  }
}
