import { Field, ID, Int, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'

@ObjectType('DebugCapture', {
  description: 'What proxies keep of requests and answers for operators to look at.',
  simpleResolvers: true,
})
export class DebugCaptureType {
  @Field(() => Boolean, {
    description: 'False also once until has passed, or 1 GiB was stored since it was turned on.',
  })
  enabled!: boolean

  @Field(() => Int, { description: 'Of each of the two bodies.' })
  maxBodyBytes!: number

  @Field(() => Int, { description: 'For how long what is captured now is kept.' })
  retentionHours!: number

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it ends, or has ended, by itself; null: it was turned off.',
  })
  until!: Date | null

  @Field(() => [ID], {
    nullable: true,
    description: 'Requests with these alone; null: with any. A key that is bound to projects sees its own of them.',
  })
  tokens!: string[] | null

  @Field(() => [String], {
    nullable: true,
    description: 'Requests for these alone, as clients name them (globs with *); null: for any.',
  })
  models!: string[] | null
}
