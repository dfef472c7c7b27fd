import type { ProviderTest, Question } from '@millrace/shared'
import { Field, ID, ObjectType } from 'type-graphql'

import { JSONValue } from '../graphql/scalars.ts'

@ObjectType('Question', { description: 'What is asked of every process of every proxy, now.', simpleResolvers: true })
export class QuestionType implements Question {
  @Field(() => ID)
  id!: string

  @Field(() => ID, {
    nullable: true,
    description: 'Of the request of this id alone; null: of all that are being served.',
  })
  request!: string | null

  @Field(() => [ID], { nullable: true, description: 'Of these projects alone; null: of any, and of none.' })
  projects!: string[] | null

  @Field(() => Boolean, { description: 'Whether that request is to be ended.' })
  cancel!: boolean

  @Field(() => JSONValue, {
    nullable: true,
    description:
      'A provider that one process is to try, as packages/shared/src/provider-test.ts describes it; the others say nothing.',
  })
  test!: ProviderTest | null
}
