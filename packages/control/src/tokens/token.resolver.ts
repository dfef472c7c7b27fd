import { isId } from '@millrace/shared'
import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { BigIntNumber, DateTime } from '../graphql/scalars.ts'
import { BudgetType, toBudget } from '../limits/budget.type.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import {
  BulkRevocation,
  CreatedToken,
  CreateTokenInput,
  statusOf,
  TokenConnection,
  TokenStatus,
  TokenType,
  toToken,
  UpdateTokenInput,
} from './token.type.ts'

@Resolver(() => TokenType)
export class TokenResolver {
  @Allow(Role.VIEWER)
  @Query(() => TokenConnection, { description: 'Newest first.' })
  tokens(
    @Ctx() { services, scope }: Context,
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
    return services.tokens.page(scope, { project, status, search, first, after })
  }

  @Allow(Role.VIEWER)
  @Query(() => TokenType, { nullable: true })
  async token(@Ctx() { loaders }: Context, @Arg('id', () => ID) id: string): Promise<TokenType | null> {
    const row = isId(id) ? await loaders.token.load(id) : null
    return row && toToken(row)
  }

  @Allow(Role.EDITOR)
  @Mutation(() => CreatedToken)
  async createToken(
    @Ctx() { services, actor }: Context,
    @Arg('input', () => CreateTokenInput) input: CreateTokenInput,
  ): Promise<CreatedToken> {
    const { token, secret } = await services.tokens.create(actor, input)
    return { token: toToken(token), secret }
  }

  @Allow(Role.EDITOR)
  @Mutation(() => TokenType)
  async updateToken(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateTokenInput) input: UpdateTokenInput,
  ): Promise<TokenType> {
    return toToken(await services.tokens.update(actor, id, input))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => CreatedToken, {
    description: 'A new secret. The old secret works for graceSeconds more: 0 to 2592000, 30 days.',
  })
  async rotateToken(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
    @Arg('graceSeconds', () => Int, { nullable: true, defaultValue: 0 }) graceSeconds: number | null = null,
  ): Promise<CreatedToken> {
    const { token, secret } = await services.tokens.rotate(actor, id, graceSeconds ?? 0)
    return { token: toToken(token), secret }
  }

  @Allow(Role.EDITOR)
  @Mutation(() => TokenType, { description: 'For good: every connected proxy refuses it from then on.' })
  async revokeToken(@Ctx() { services, actor }: Context, @Arg('id', () => ID) id: string): Promise<TokenType> {
    return toToken(await services.tokens.revoke(actor, id))
  }

  @Allow(Role.EDITOR)
  @Mutation(() => BulkRevocation, { description: 'As revokeToken, of all tokens that the project has now.' })
  revokeProjectTokens(
    @Ctx() { services, actor }: Context,
    @Arg('project', () => ID) project: string,
  ): Promise<BulkRevocation> {
    return services.tokens.revokeOfProject(actor, project)
  }

  @FieldResolver(() => TokenStatus)
  async status(@Root() token: TokenType, @Ctx() { loaders }: Context): Promise<TokenStatus> {
    return statusOf(token, token.maxRequests === null ? 0 : (await loaders.used.load(token.usedSubject)).requests)
  }

  @FieldResolver(() => BigIntNumber, { description: 'Of those that count towards maxRequests.' })
  async requestCount(@Root() { usedSubject }: TokenType, @Ctx() { loaders }: Context): Promise<number> {
    return (await loaders.used.load(usedSubject)).requests
  }

  @FieldResolver(() => BigIntNumber)
  async cacheHitCount(@Root() { usedSubject }: TokenType, @Ctx() { loaders }: Context): Promise<number> {
    return (await loaders.used.load(usedSubject)).cacheHits
  }

  @FieldResolver(() => DateTime, { nullable: true, description: 'When it was last asked with.' })
  async lastUsedAt(@Root() { usedSubject }: TokenType, @Ctx() { loaders }: Context): Promise<Date | null> {
    return (await loaders.used.load(usedSubject)).lastUsedAt
  }

  @FieldResolver(() => BudgetType, { nullable: true })
  async budget(
    @Root() { budgetPolicy, usedSubject }: TokenType,
    @Ctx() { loaders }: Context,
  ): Promise<BudgetType | null> {
    return budgetPolicy && toBudget(budgetPolicy, (await loaders.used.load(usedSubject)).spentUsd)
  }

  @FieldResolver(() => ProjectType)
  async project(@Root() { projectId }: TokenType, @Ctx() { loaders }: Context): Promise<ProjectType> {
    return toProject((await loaders.project.load(projectId))!)
  }
}
