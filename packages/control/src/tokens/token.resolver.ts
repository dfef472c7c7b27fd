import { isId } from '@millrace/shared'
import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import {
  CreatedToken,
  CreateTokenInput,
  TokenConnection,
  TokenStatus,
  TokenType,
  toToken,
  UpdateTokenInput,
} from './token.type.ts'

@Resolver(() => TokenType)
export class TokenResolver {
  @Allow(Role.ADMIN)
  @Query(() => TokenConnection, { description: 'Newest first.' })
  tokens(
    @Ctx() { services }: Context,
    @Arg('project', () => ID, { nullable: true }) project: string | null = null,
    @Arg('status', () => TokenStatus, { nullable: true }) status: TokenStatus | null = null,
    @Arg('search', () => String, { nullable: true, description: 'In the name or the prefix.' }) search:
      | string
      | null = null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true }) after: string | null = null,
  ): Promise<Page<TokenType>> {
    return services.tokens.page({ project, status, search, first, after })
  }

  @Allow(Role.ADMIN)
  @Query(() => TokenType, { nullable: true })
  async token(@Ctx() { loaders }: Context, @Arg('id', () => ID) id: string): Promise<TokenType | null> {
    const row = isId(id) ? await loaders.token.load(id) : null
    return row && toToken(row)
  }

  @Allow(Role.ADMIN)
  @Mutation(() => CreatedToken)
  async createToken(
    @Ctx() { services, actor }: Context,
    @Arg('input', () => CreateTokenInput) input: CreateTokenInput,
  ): Promise<CreatedToken> {
    const { token, secret } = await services.tokens.create(actor, input)
    return { token: toToken(token), secret }
  }

  @Allow(Role.ADMIN)
  @Mutation(() => TokenType)
  async updateToken(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateTokenInput) input: UpdateTokenInput,
  ): Promise<TokenType> {
    return toToken(await services.tokens.update(actor, id, input))
  }

  @Allow(Role.ADMIN)
  @Mutation(() => TokenType, { description: 'For good: every connected proxy refuses it from then on.' })
  async revokeToken(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<TokenType> {
    return toToken(await services.tokens.revoke(actor, id))
  }

  @FieldResolver(() => ProjectType)
  async project(@Root() { projectId }: TokenType, @Ctx() { loaders }: Context): Promise<ProjectType> {
    return toProject((await loaders.project.load(projectId))!)
  }
}
