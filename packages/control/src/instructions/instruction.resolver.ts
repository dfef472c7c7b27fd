import { Arg, Ctx, ID, Int, Mutation, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { InstructionType } from './instruction.type.ts'
import { ageOf, type GivenInstruction } from './instructions.ts'

@Resolver(() => InstructionType)
export class InstructionResolver {
  @Allow(Role.PROXY)
  @Subscription(() => InstructionType, {
    subscribe: ({ context }: { context: Context }) => context.services.instructions.subscribe(),
    description: 'For proxies: those of the last hour at once, and each new one.',
  })
  instructions(@Root() { message }: Delivery<GivenInstruction>): InstructionType {
    return { ...message, ageMs: ageOf(message) }
  }

  @Allow(Role.PROXY)
  @Mutation(() => Boolean, {
    description:
      'For proxies: a process of one has carried out a purgeCache. Told again, it counts once. False: there is no such instruction any more.',
  })
  carriedOut(
    @Ctx() { services }: Context,
    @Arg('instruction', () => ID) instruction: string,
    @Arg('proxy', () => ID, { description: 'As it reports itself.' }) proxy: string,
    @Arg('process', () => ID, { description: "One of the proxy's." }) process: string,
    @Arg('processes', () => Int, { description: 'How many the proxy has.' }) processes: number,
    @Arg('count', () => Int, { description: 'How many things are gone by it.' }) count: number,
  ): Promise<boolean> {
    return services.purges.note({ instruction, proxy, process, processes, count })
  }
}
