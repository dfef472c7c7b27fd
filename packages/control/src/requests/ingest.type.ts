import type { IngestResult } from '@millrace/shared'
import { Field, Int, ObjectType } from 'type-graphql'

@ObjectType('IngestResult', { description: 'What became of a batch of records.', simpleResolvers: true })
export class IngestResultType implements IngestResult {
  @Field(() => Int)
  stored!: number

  @Field(() => Int, { description: 'Stored before.' })
  duplicates!: number

  @Field(() => Int, { description: 'Malformed: not to be sent again.' })
  refused!: number
}
