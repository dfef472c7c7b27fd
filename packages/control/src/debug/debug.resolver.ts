import type { DebugCapture } from '@millrace/shared'
import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Page } from '../graphql/connections.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { JSONValue } from '../graphql/scalars.ts'
import { ProjectType, toProject } from '../projects/project.type.ts'
import { TokenType, toToken } from '../tokens/token.type.ts'
import { captureOf, type ToldCapture } from './capture.service.ts'
import { DebugCaptureType } from './capture.type.ts'
import { DebugExchangeConnection, DebugExchangeSummaryType, DebugExchangeType } from './exchange.type.ts'

@Resolver()
export class DebugResolver {
  @Allow(Role.ADMIN)
  @Query(() => DebugCaptureType)
  debugCapture(@Ctx() { services, scope }: Context): Promise<DebugCaptureType> {
    return services.debugCapture.read(scope)
  }

  @Allow(Role.ADMIN)
  @Query(() => DebugExchangeType, {
    nullable: true,
    description: 'By the id of its record. Each time that one is read leaves an audit event.',
  })
  debugExchange(
    @Ctx() { services, actor }: Context,
    @Arg('id', () => ID) id: string,
  ): Promise<DebugExchangeType | null> {
    return services.debugExchanges.read(actor, id)
  }

  @Allow(Role.ADMIN)
  @Query(() => DebugExchangeConnection, { description: 'What was captured, newest first. totalCount is null.' })
  debugExchanges(
    @Ctx() { services, scope }: Context,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: '1 to 500.' }) first:
      | number
      | null = null,
    @Arg('after', () => String, { nullable: true }) after: string | null = null,
  ): Promise<Page<DebugExchangeSummaryType>> {
    return services.debugExchanges.page(scope, first, after)
  }

  @Allow(Role.ADMIN)
  @Mutation(() => DebugCaptureType, {
    description:
      'Sets all of it: what is absent or null goes to its default. Not for keys that are bound to projects. What has begun while it is on is captured to its end.',
  })
  setDebugCapture(
    @Ctx() { services, actor }: Context,
    @Arg('enabled', () => Boolean) enabled: boolean,
    @Arg('maxBodyBytes', () => Int, { nullable: true, description: '0 to 1048576, 1 MiB. By default 65536.' })
    maxBodyBytes: number | null = null,
    @Arg('retentionHours', () => Int, {
      nullable: true,
      description: 'From 1 on, MILLRACE_DEBUG_DAYS at most. By default 24.',
    })
    retentionHours: number | null = null,
    @Arg('minutes', () => Int, {
      nullable: true,
      description: 'After which it ends by itself: 1 to 10080, a week. By default 60.',
    })
    minutes: number | null = null,
    @Arg('tokens', () => [ID], { nullable: true, description: 'Up to 1000. By default requests with any.' })
    tokens: string[] | null = null,
    @Arg('models', () => [String], {
      nullable: true,
      description: 'As clients name them, globs with *, up to 100. By default requests for any.',
    })
    models: string[] | null = null,
  ): Promise<DebugCaptureType> {
    const given = { enabled, maxBodyBytes, retentionHours, minutes, tokens, models }
    return services.debugCapture.set(actor, given)
  }

  @Allow(Role.PROXY)
  @Subscription(() => JSONValue, {
    subscribe: ({ context }: { context: Context }) => context.services.debugCapture.subscribe(),
    description: 'For proxies: what they are to capture, at once and whenever it changes.',
  })
  debugCaptures(@Root() { message }: Delivery<ToldCapture>): DebugCapture {
    return captureOf(message)
  }

  @Allow(Role.PROXY)
  @Mutation(() => Int, {
    description:
      'For proxies: stores what they have captured, each once. How many of them are stored; the others are malformed, or nothing has been captured lately.',
  })
  storeDebugExchanges(
    @Ctx() { services }: Context,
    @Arg('exchanges', () => [JSONValue]) exchanges: unknown[],
  ): Promise<number> {
    return services.debugExchanges.store(exchanges)
  }
}

@Resolver(() => DebugExchangeSummaryType)
export class DebugExchangeResolver {
  @FieldResolver(() => ProjectType, { nullable: true })
  async project(
    @Root() { projectId }: DebugExchangeSummaryType,
    @Ctx() { loaders }: Context,
  ): Promise<ProjectType | null> {
    const row = projectId === null ? null : await loaders.project.load(projectId)
    return row && toProject(row)
  }

  @FieldResolver(() => TokenType, { nullable: true })
  async token(@Root() { tokenId }: DebugExchangeSummaryType, @Ctx() { loaders }: Context): Promise<TokenType | null> {
    const row = tokenId === null ? null : await loaders.token.load(tokenId)
    return row && toToken(row)
  }
}
