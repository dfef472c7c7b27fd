import { Arg, Ctx, Query, Resolver } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { UsedOfType, UsedSubjectInput } from './spending.type.ts'

@Resolver()
export class SpendingResolver {
  @Allow(Role.PROXY)
  @Query(() => [UsedOfType], {
    description:
      'For proxies: what was used of quotas and budgets, by the records that are stored; at most 1,000 at once.',
  })
  used(
    @Ctx() { services }: Context,
    @Arg('subjects', () => [UsedSubjectInput]) subjects: UsedSubjectInput[],
  ): Promise<UsedOfType[]> {
    return services.spending.answer(subjects)
  }
}
