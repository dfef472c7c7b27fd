import type { SnapshotEvent, SnapshotPosition } from '@millrace/shared'
import { Arg, Field, InputType, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { JSONValue } from '../graphql/scalars.ts'

@ObjectType('SnapshotEvent', {
  description: 'A part of the configuration, or of what has changed of it.',
  simpleResolvers: true,
})
export class SnapshotEventType implements SnapshotEvent {
  @Field(() => Int, { description: 'Which a proxy serves by once it has all parts.' })
  revision!: number

  @Field(() => JSONValue)
  document!: unknown
}

@InputType({ description: 'Where a proxy stands: what the last whole transfer said.' })
export class SnapshotPositionInput implements SnapshotPosition {
  @Field(() => Int)
  revision!: number

  @Field(() => String)
  mark!: string
}

@Resolver()
export class SnapshotResolver {
  @Allow(Role.PROXY)
  @Subscription(() => SnapshotEventType, {
    subscribe: ({ args, context }: { args: { after?: SnapshotPosition | null }; context: Context }) =>
      context.services.snapshots.subscribe(args.after ?? null),
    description: 'For proxies: at once what they lack, or everything, and then what changes.',
  })
  snapshots(
    @Root() event: SnapshotEvent,
    @Arg('after', () => SnapshotPositionInput, { nullable: true }) _after: SnapshotPosition | null = null,
  ): SnapshotEventType {
    return event
  }
}
