import { Arg, Ctx, Mutation, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { JSONValue } from '../graphql/scalars.ts'
import { FeedEventKind, RequestFeedEvent } from './feed.type.ts'
import type { StoredRecord } from './ingest.service.ts'
import { IngestResultType } from './ingest.type.ts'
import { matches, readFilter, RequestFilter } from './request.filter.ts'
import { toRequest } from './request.type.ts'

/** Events that may wait for one subscriber. */
const FEED_CAPACITY = 1_000

interface FeedArguments {
  readonly filter?: RequestFilter | null
  readonly kinds?: readonly FeedEventKind[] | null
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

  @Allow(Role.VIEWER)
  @Subscription(() => RequestFeedEvent, {
    subscribe: subscribeToFeed,
    description: 'Requests as their records are stored.',
  })
  requestFeed(
    @Root() { message: { eventId, at, record }, dropped }: Delivery<StoredRecord>,
    @Arg('filter', () => RequestFilter, { nullable: true }) _filter?: RequestFilter | null,
    @Arg('kinds', () => [FeedEventKind], { nullable: true, defaultValue: [FeedEventKind.FINISHED] }) _kinds?:
      | FeedEventKind[]
      | null,
  ): RequestFeedEvent {
    return {
      id: eventId,
      kind: FeedEventKind.FINISHED,
      at,
      requestId: record.requestId,
      record: toRequest(record),
      dropped,
    }
  }
}

function subscribeToFeed({
  context,
  args,
}: {
  context: Context
  args: FeedArguments
}): AsyncIterable<Delivery<StoredRecord>> {
  const filter = readFilter(args.filter ?? null)
  const wanted = (args.kinds ?? [FeedEventKind.FINISHED]).includes(FeedEventKind.FINISHED)
  const { services, scope } = context
  const isWanted = ({ record }: StoredRecord): boolean =>
    wanted && scope.isOwn(record.projectId) && matches(filter, record)
  return services.feed.subscribe(FEED_CAPACITY, isWanted)
}
