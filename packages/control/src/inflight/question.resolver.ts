import type { Question } from '@millrace/shared'
import { Arg, Ctx, ID, Int, Mutation, Resolver, Root, Subscription } from 'type-graphql'

import { Role } from '../access/role.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Context } from '../graphql/context.ts'
import { Allow } from '../graphql/guard.ts'
import { JSONValue } from '../graphql/scalars.ts'
import { QuestionType } from './question.type.ts'

@Resolver()
export class QuestionResolver {
  @Allow(Role.PROXY)
  @Subscription(() => QuestionType, {
    subscribe: ({ context }: { context: Context }) => context.services.questions.subscribe(),
    description: 'For proxies: what is asked of each of their processes from now on.',
  })
  questions(@Root() { message: { id, request, projects, cancel, test } }: Delivery<Question>): QuestionType {
    return { id, request, projects: projects && [...projects], cancel, test }
  }

  @Allow(Role.PROXY)
  @Mutation(() => Boolean, {
    description:
      "For proxies: a process's answer to a question. Told again, it counts once. False: nobody waits for it any more.",
  })
  answerQuestion(
    @Ctx() { services }: Context,
    @Arg('question', () => ID) question: string,
    @Arg('proxy', () => ID, { description: 'As it reports itself.' }) proxy: string,
    @Arg('process', () => ID, { description: "One of the proxy's." }) process: string,
    @Arg('processes', () => Int, { description: 'How many the proxy has.' }) processes: number,
    @Arg('cancelled', () => Boolean, { description: 'Whether the request was its own, and was ended by this.' })
    cancelled: boolean,
    @Arg('inFlight', () => [JSONValue], { description: 'As packages/shared/src/live.ts describes it; at most 1,000.' })
    inFlight: unknown[],
    @Arg('test', () => JSONValue, {
      nullable: true,
      description:
        'Of the process that was to try a provider: how that went, as packages/shared/src/provider-test.ts describes it.',
    })
    test: unknown,
  ): Promise<boolean> {
    return services.questions.answer({ question, proxy, process, processes, cancelled, inFlight, test })
  }
}
