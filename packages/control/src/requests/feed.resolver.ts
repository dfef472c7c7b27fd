import { Arg, Ctx, ID, Int, Mutation, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Scope } from '../access/scope.ts'
import type { FeedEvent } from '../feed/event.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { JSONValue } from '../graphql/scalars.ts'
import type { FeedQuestion } from './feed.service.ts'
import { FeedEventKindEnum, RequestFeedEvent, toFeedEvent, type FeedEventKind } from './feed.type.ts'
import { IngestResultType } from './ingest.type.ts'
import { matchesInFlight } from './live.filter.ts'
import { matches, readFilter, RequestFilter, sqlConditions } from './request.filter.ts'

interface FeedArguments {
  readonly filter?: RequestFilter | null
  readonly kinds?: readonly FeedEventKind[] | null
  readonly after?: string | null
}

@Resolver()
export class FeedResolver {
  @Allow(Role.PROXY)
  @Mutation(() => IngestResultType, { description: 'For proxies: records, at most 1,000 at once.' })
  ingestRecords(
    @Ctx() { services }: Context,
    @Arg('records', () => [JSONValue]) records: unknown[],
  ): Promise<IngestResultType> {
    return services.ingest.ingest(records)
  }

  @Allow(Role.PROXY)
  @Mutation(() => Int, {
    description:
      'For proxies: requests that are being served, at most 1,000 events at once. The answer is how many were taken; malformed ones are not.',
  })
  reportLive(@Ctx() { services }: Context, @Arg('events', () => [JSONValue]) events: unknown[]): Promise<number> {
    return services.feed.report(events)
  }

  @Allow(Role.PROXY)
  @Subscription(() => Boolean, {
    subscribe: ({ context }: { context: Context }) => context.services.feed.liveWanted(),
    description: 'For proxies: whether anybody asks for STARTED or FIRST_TOKEN. At once, and whenever that changes.',
  })
  liveWanted(@Root() { message }: Delivery<boolean>): boolean {
    return message
  }

  @Allow(Role.VIEWER)
  @Subscription(() => RequestFeedEvent, {
    subscribe: ({ context: { services, scope }, args }: { context: Context; args: FeedArguments }) =>
      services.feed.subscribe(questionOf(args, scope), args.after ?? null),
    description:
      'Requests: as they are let in, as their clients begin to get content, and as their records are stored, whichever control process hears of it.',
  })
  requestFeed(
    @Root() delivery: Delivery<FeedEvent>,
    @Arg('filter', () => RequestFilter, { nullable: true }) _filter?: RequestFilter | null,
    @Arg('kinds', () => [FeedEventKindEnum], { nullable: true, defaultValue: [FeedEventKindEnum.FINISHED] }) _kinds?:
      | FeedEventKind[]
      | null,
    @Arg('after', () => ID, {
      nullable: true,
      description: 'The id of an event of the last ten minutes: what came since it comes first.',
    })
    _after?: string | null,
  ): RequestFeedEvent {
    return toFeedEvent(delivery)
  }
}

/** @throws GraphQLError BAD_USER_INPUT */
function questionOf({ filter: given, kinds }: FeedArguments, scope: Scope): FeedQuestion {
  const filter = readFilter(given ?? null)
  const wanted = new Set(kinds ?? [FeedEventKindEnum.FINISHED])
  return {
    key: JSON.stringify(['requests', filter, [...wanted].sort(), scope.key]),
    kinds: { records: wanted.has('FINISHED'), live: wanted.has('STARTED') || wanted.has('FIRST_TOKEN') },
    wants: (event) => {
      if (!wanted.has(event.kind)) return false
      return event.kind === 'FINISHED'
        ? scope.isOwn(event.record.projectId) && matches(filter, event.record)
        : scope.isOwn(event.request.projectId) && matchesInFlight(filter, event.request)
    },
    conditions: [...sqlConditions(filter), ...scope.ownRows('project_id')],
  }
}
