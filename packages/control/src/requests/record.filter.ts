/** What lists and feeds of records and of their decisions can be asked alike: of the database, and of a record that has just come. */
import 'reflect-metadata'
import type { RequestRecord } from '@millrace/shared'
import { Field, ID, InputType } from 'type-graphql'
import * as z from 'zod'

import { idText, searchText } from '../graphql/input.ts'
import { DateTime } from '../graphql/scalars.ts'
import { Conditions } from './conditions.ts'

@InputType()
export abstract class RecordFilter {
  @Field(() => ID, { nullable: true })
  project?: string | null

  @Field(() => ID, { nullable: true })
  token?: string | null

  @Field(() => String, { nullable: true })
  errorClass?: string | null

  @Field(() => DateTime, { nullable: true, description: 'Of requests that started at this moment or later.' })
  from?: Date | null

  @Field(() => DateTime, { nullable: true, description: 'Of requests that started before this moment.' })
  to?: Date | null

  @Field(() => String, { nullable: true })
  requestId?: string | null
}

export const recordFilter = z.object({
  project: idText.nullish(),
  token: idText.nullish(),
  errorClass: searchText.nullish(),
  from: z.date().nullish(),
  to: z.date().nullish(),
  requestId: searchText.nullish(),
})

export type RecordConditions = z.output<typeof recordFilter>

/** What the database is asked, over table `request_record`. */
export function recordConditions(filter: RecordConditions): Conditions {
  return new Conditions()
    .given(filter.project, 'project_id = ?')
    .given(filter.token, 'token_id = ?')
    .given(filter.errorClass, "(status <> 'SUCCESS' and error_class = ?)")
    .given(filter.from, 'started_at >= ?')
    .given(filter.to, 'started_at < ?')
    .givenText(filter.requestId, 'request_id')
}

/** The same question of one record. */
export function matchesRecord(filter: RecordConditions, record: RequestRecord): boolean {
  const { project, token, errorClass, from, to, requestId } = filter
  const startedAt = from == null && to == null ? 0 : Date.parse(record.startedAt)
  return (
    (project == null || project === record.projectId) &&
    (token == null || token === record.tokenId) &&
    (errorClass == null || errorClass === record.errorClass) &&
    (from == null || startedAt >= from.getTime()) &&
    (to == null || startedAt < to.getTime()) &&
    (requestId == null || requestId === record.requestId)
  )
}
