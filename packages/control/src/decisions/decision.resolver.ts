import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import { AliasType, toAlias } from '../aliases/alias.type.ts'
import { RouteType, toRoute } from '../aliases/route.type.ts'
import type { FinishedEvent } from '../feed/event.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { TokenType, toToken } from '../tokens/token.type.ts'
import { DecisionFilter } from './decision.filter.ts'
import { RouteDecisionConnection, RouteDecisionType, toDecision, type DecidedRecord } from './decision.type.ts'

@Resolver(() => RouteDecisionType)
export class DecisionResolver {
  @Allow(Role.VIEWER)
  @Query(() => RouteDecisionConnection, { description: 'Newest first. totalCount is null.' })
  routeDecisions(
    @Ctx() { services, scope }: Context,
    @Arg('filter', () => DecisionFilter, { nullable: true }) filter: DecisionFilter | null = null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true }) after: string | null = null,
  ): Promise<Page<RouteDecisionType>> {
    return services.decisions.page(scope, filter, first, after)
  }

  @Allow(Role.VIEWER)
  @Subscription(() => RouteDecisionType, {
    subscribe: ({ context, args }: { context: Context; args: { filter?: DecisionFilter | null } }) =>
      context.services.decisions.subscribe(context.scope, args.filter ?? null),
    description: 'Decisions, as the records of their requests are stored.',
  })
  routeDecisionFeed(
    @Root() { message: { record }, dropped }: Delivery<FinishedEvent>,
    @Arg('filter', () => DecisionFilter, { nullable: true }) _filter?: DecisionFilter | null,
  ): RouteDecisionType {
    return Object.assign(toDecision(record as DecidedRecord), { dropped })
  }

  @FieldResolver(() => AliasType, { nullable: true, description: 'Null if there is none any more.' })
  async alias(@Root() { aliasId }: RouteDecisionType, @Ctx() { loaders }: Context): Promise<AliasType | null> {
    const row = aliasId === null ? null : await loaders.alias.load(aliasId)
    return row && toAlias(row)
  }

  @FieldResolver(() => ProjectType, { nullable: true })
  async project(@Root() { projectId }: RouteDecisionType, @Ctx() { loaders }: Context): Promise<ProjectType | null> {
    const row = projectId === null ? null : await loaders.project.load(projectId)
    return row && toProject(row)
  }

  @FieldResolver(() => TokenType, { nullable: true })
  async token(@Root() { tokenId }: RouteDecisionType, @Ctx() { loaders }: Context): Promise<TokenType | null> {
    const row = tokenId === null ? null : await loaders.token.load(tokenId)
    return row && toToken(row)
  }

  @FieldResolver(() => RouteType, {
    nullable: true,
    description:
      'The route that answered; in an explanation, the one that would be tried first. Null if there is none any more.',
  })
  async selectedRoute(
    @Root() { selectedRouteId }: RouteDecisionType,
    @Ctx() { loaders }: Context,
  ): Promise<RouteType | null> {
    const row = selectedRouteId === null ? null : await loaders.route.load(selectedRouteId)
    return row && toRoute(row)
  }
}
