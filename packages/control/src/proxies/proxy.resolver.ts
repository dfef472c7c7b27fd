import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { ProxyInstanceType, ProxyReportInput } from './proxy.type.ts'

@Resolver(() => ProxyInstanceType)
export class ProxyResolver {
  @Allow(Role.VIEWER)
  @Query(() => [ProxyInstanceType])
  proxies(@Ctx() { services }: Context): Promise<ProxyInstanceType[]> {
    return services.proxies.list()
  }

  @Allow(Role.PROXY)
  @Mutation(() => Boolean, { description: 'For proxies.' })
  async reportProxy(
    @Ctx() { services }: Context,
    @Arg('report', () => ProxyReportInput) report: ProxyReportInput,
  ): Promise<boolean> {
    await services.proxies.report(report)
    return true
  }
}
