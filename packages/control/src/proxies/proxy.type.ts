import type { ProxyReport } from '@millrace/shared'
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql'

import { DateTime, JSONValue } from '../graphql/scalars.ts'
import type { ProxyInstance } from './proxy.entity.ts'

@ObjectType('ProxyInstance', { description: 'A process of the data plane.', simpleResolvers: true })
export class ProxyInstanceType {
  @Field(() => ID)
  id!: string

  @Field(() => String)
  version!: string

  @Field(() => DateTime)
  startedAt!: Date

  @Field(() => DateTime)
  lastSeenAt!: Date

  @Field(() => Boolean)
  online!: boolean

  @Field(() => Int, { description: 'The revision that it serves by.' })
  configRevision!: number

  @Field(() => Int)
  inFlight!: number

  @Field(() => Float)
  requestsPerSecond!: number

  @Field(() => Int)
  recordsQueued!: number

  @Field(() => Int)
  recordsDropped!: number
}

export function toProxyInstance(row: ProxyInstance, online: boolean): ProxyInstanceType {
  const { id, version, startedAt, lastSeenAt, configRevision, inFlight, requestsPerSecond, recordsQueued } = row
  return {
    id,
    version,
    startedAt,
    lastSeenAt,
    online,
    configRevision,
    inFlight,
    requestsPerSecond,
    recordsQueued,
    recordsDropped: row.recordsDropped,
  }
}

@InputType({ description: 'How a proxy does.' })
export class ProxyReportInput implements Omit<ProxyReport, 'startedAt' | 'health' | 'cache'> {
  @Field(() => ID)
  id!: string

  @Field(() => String)
  version!: string

  @Field(() => DateTime)
  startedAt!: Date

  @Field(() => Int)
  configRevision!: number

  @Field(() => Int)
  inFlight!: number

  @Field(() => Float)
  requestsPerSecond!: number

  @Field(() => Int)
  recordsQueued!: number

  @Field(() => Int)
  recordsDropped!: number

  @Field(() => JSONValue, {
    nullable: true,
    description: 'Of providers, routes and upstream keys, as packages/shared/src/health.ts describes it.',
  })
  health?: unknown

  @Field(() => JSONValue, { nullable: true, description: 'As packages/shared/src/cache.ts describes it.' })
  cache?: unknown
}
