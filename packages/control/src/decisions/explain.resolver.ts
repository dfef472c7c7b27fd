import { Arg, Ctx, Query, Resolver } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { RouteDecisionType } from './decision.type.ts'
import { ExplainRouteInput } from './explain.type.ts'

@Resolver()
export class ExplainResolver {
  @Allow(Role.VIEWER)
  @Query(() => RouteDecisionType, {
    description: 'Where a request would go, and why. Nothing is sent upstream and nothing is counted.',
  })
  explainRoute(
    @Ctx() { services, scope }: Context,
    @Arg('input', () => ExplainRouteInput) input: ExplainRouteInput,
  ): Promise<RouteDecisionType> {
    return services.explanations.explain(scope, input)
  }
}
