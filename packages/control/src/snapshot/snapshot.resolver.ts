import type { SnapshotEvent } from '@millrace/shared'
import { Field, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { JSONValue } from '../graphql/scalars.ts'

@ObjectType('SnapshotEvent', { description: 'The whole configuration at one revision.', simpleResolvers: true })
export class SnapshotEventType implements SnapshotEvent {
  @Field(() => Int)
  revision!: number

  @Field(() => JSONValue)
  document!: unknown
}

@Resolver()
export class SnapshotResolver {
  @Allow(Role.PROXY)
  @Subscription(() => SnapshotEventType, {
    subscribe: ({ context }: { context: Context }) => context.services.snapshots.subscribe(),
    description: 'For proxies: the newest at once, and each newer one.',
  })
  snapshots(@Root() { message }: Delivery<SnapshotEvent>): SnapshotEventType {
    return message
  }
}
