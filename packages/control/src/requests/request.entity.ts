import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import type {
  AttemptRecord,
  CacheOutcome,
  CacheTier,
  DecisionRecord,
  RequestStatus,
  UsageSource,
} from '@millrace/shared'

/** A request record as stored. What it names may be gone: plain ids, no relations. */
@Entity({ tableName: 'request_record', readonly: true })
export class RequestRecordEntity {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Property({ type: 'text' })
  requestId!: string

  @Property({ type: 'datetime', length: 3 })
  startedAt!: Date

  @Property({ type: 'datetime', length: 3 })
  finishedAt!: Date

  @Property({ type: 'uuid', nullable: true })
  projectId!: string | null

  @Property({ type: 'uuid', nullable: true })
  tokenId!: string | null

  @Property({ type: 'text' })
  endpoint!: string

  @Property({ type: 'text' })
  model!: string

  @Property({ type: 'uuid', nullable: true })
  aliasId!: string | null

  @Property({ type: 'uuid', nullable: true })
  providerId!: string | null

  @Property({ type: 'text', nullable: true })
  providerModel!: string | null

  @Property({ type: 'boolean' })
  stream!: boolean

  @Property({ type: 'text' })
  status!: RequestStatus

  @Property({ type: 'integer' })
  httpStatus!: number

  @Property({ type: 'text', nullable: true })
  errorClass!: string | null

  @Property({ type: 'text', nullable: true })
  errorMessage!: string | null

  @Property({ type: 'text' })
  cache!: CacheOutcome

  @Property({ type: 'text', nullable: true })
  cacheTier!: CacheTier | null

  @Property({ type: 'boolean' })
  billed!: boolean

  @Property({ type: 'integer' })
  inputTokens!: number

  @Property({ type: 'integer' })
  outputTokens!: number

  @Property({ type: 'integer' })
  cachedInputTokens!: number

  @Property({ type: 'integer' })
  cacheWriteTokens!: number

  @Property({ type: 'integer' })
  reasoningTokens!: number

  @Property({ type: 'integer' })
  inputAudioTokens!: number

  @Property({ type: 'integer' })
  outputAudioTokens!: number

  @Property({ type: 'text' })
  usageSource!: UsageSource

  @Property({ type: 'boolean' })
  counted!: boolean

  @Property({ type: 'decimal', nullable: true })
  costUsd!: string | null

  @Property({ type: 'double' })
  latencyMs!: number

  @Property({ type: 'double', nullable: true })
  timeToFirstTokenMs!: number | null

  @Property({ type: 'double' })
  overheadMs!: number

  @Property({ type: 'json' })
  attempts!: AttemptRecord[]

  @Property({ type: 'json', nullable: true })
  decision!: DecisionRecord | null

  @Property({ type: 'text', nullable: true })
  userKey!: string | null

  @Property({ type: 'text', nullable: true })
  conversationKey!: string | null

  @Property({ type: 'json', nullable: true })
  metadata!: Record<string, unknown> | null

  @Property({ type: 'integer' })
  configRevision!: number

  @Property({ type: 'uuid' })
  proxyId!: string
}
