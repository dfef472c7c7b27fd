import {
  BUDGET_PERIODS,
  windowEnd,
  windowOf,
  type BudgetPeriod,
  type BudgetPolicy,
  type UsedSubject,
} from '@millrace/shared'
import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'
import { DateTime, Decimal } from '../graphql/scalars.ts'

export const BudgetPeriodEnum = enumOf(BUDGET_PERIODS)
registerEnumType(BudgetPeriodEnum, {
  name: 'BudgetPeriod',
  valuesConfig: {
    DAY: { description: 'From midnight to midnight, UTC.' },
    MONTH: { description: 'A month of the calendar, UTC.' },
    TOTAL: { description: 'Since ever.' },
  },
})

@ObjectType('Budget', { simpleResolvers: true })
export class BudgetType implements BudgetPolicy {
  @Field(() => Decimal)
  limitUsd!: string

  @Field(() => BudgetPeriodEnum)
  period!: BudgetPeriod

  @Field(() => Decimal, {
    description: 'In the period that runs now: the sum of what the records of its requests cost.',
  })
  spentUsd!: string

  @Field(() => DateTime, { nullable: true, description: 'When the period ends. Null for TOTAL.' })
  resetsAt!: Date | null
}

@InputType()
export class BudgetInput {
  @Field(() => Decimal, { description: 'With 12 decimals at most. 0: nothing that costs anything.' })
  limitUsd!: string

  @Field(() => BudgetPeriodEnum)
  period!: BudgetPeriod
}

/** What to ask for to know what was used of it by now. */
export function subjectOf(id: string, budget: BudgetPolicy | null): UsedSubject {
  return { id, window: budget && windowOf(budget.period, Date.now()) }
}

/** @param spentUsd in the window that runs now */
export function toBudget({ limitUsd, period }: BudgetPolicy, spentUsd: string): BudgetType {
  const end = windowEnd(period, Date.now())
  return { limitUsd, period, spentUsd, resetsAt: end === null ? null : new Date(end) }
}
