import type { BudgetPolicy, UsedSubject } from '@millrace/shared'
import { Field, ID, InputType, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'
import { BudgetInput, subjectOf } from '../limits/budget.type.ts'
import { LimitsInput, LimitsType, toLimits } from '../limits/limits.type.ts'
import type { Project } from './project.entity.ts'

@ObjectType('Project', { description: 'A tenant: its tokens, and what is meant for it alone.', simpleResolvers: true })
export class ProjectType {
  /** For the field `budget`. */
  budgetPolicy!: BudgetPolicy | null

  /** What is asked for to know what was used. */
  usedSubject!: UsedSubject

  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => Boolean)
  active!: boolean

  @Field(() => DateTime, { nullable: true })
  deactivatedAt!: Date | null

  @Field(() => LimitsType, { description: "Of all of its tokens together, above each one's own." })
  limits!: LimitsType

  @Field(() => DateTime)
  createdAt!: Date

  @Field(() => DateTime)
  updatedAt!: Date
}

export function toProject(row: Project): ProjectType {
  const { id, name, active, deactivatedAt, budget, createdAt, updatedAt } = row
  return {
    id,
    name,
    active,
    deactivatedAt,
    limits: toLimits(row.limits),
    budgetPolicy: budget,
    usedSubject: subjectOf(id, budget),
    createdAt,
    updatedAt,
  }
}

@InputType()
export class CreateProjectInput {
  @Field(() => String)
  name!: string

  @Field(() => BudgetInput, { nullable: true })
  budget?: BudgetInput | null

  @Field(() => LimitsInput, { nullable: true })
  limits?: LimitsInput | null
}

@InputType({
  description: 'An absent field keeps, null clears (`active` goes back to true), objects are merged (RFC 7396).',
})
export class UpdateProjectInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => Boolean, { nullable: true, description: 'While false, all of its tokens are refused.' })
  active?: boolean | null

  @Field(() => BudgetInput, { nullable: true })
  budget?: BudgetInput | null

  @Field(() => LimitsInput, { nullable: true })
  limits?: LimitsInput | null
}
