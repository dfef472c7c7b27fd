import { Field, ID, InputType, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'
import type { Project } from './project.entity.ts'

@ObjectType('Project', { description: 'A tenant: its tokens, and what is meant for it alone.', simpleResolvers: true })
export class ProjectType {
  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => Boolean)
  active!: boolean

  @Field(() => DateTime, { nullable: true })
  deactivatedAt!: Date | null

  @Field(() => DateTime)
  createdAt!: Date

  @Field(() => DateTime)
  updatedAt!: Date
}

export function toProject({ id, name, active, deactivatedAt, createdAt, updatedAt }: Project): ProjectType {
  return { id, name, active, deactivatedAt, createdAt, updatedAt }
}

@InputType()
export class CreateProjectInput {
  @Field(() => String)
  name!: string
}

@InputType({ description: 'An absent field keeps.' })
export class UpdateProjectInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => Boolean, { nullable: true, description: 'While false, all of its tokens are refused.' })
  active?: boolean | null
}
