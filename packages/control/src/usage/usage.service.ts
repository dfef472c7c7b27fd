import { countsOf, quantileOf } from '@millrace/shared'

import type { Scope } from '../access/scope.ts'
import type { Database } from '../db/database.ts'
import { isStatementTimeout } from '../db/failure.ts'
import { Places } from '../db/places.ts'
import { ceilTo, floorTo, HOUR_MS, MINUTE_MS, type Range } from '../db/time.ts'
import { badInput } from '../graphql/errors.ts'
import { answerStatement, type AnswerRow, type Asked } from './answer.ts'
import { readQuestion, type Question } from './asked.ts'
import { readKept } from './kept.ts'
import { planOf, planOfRecords, type Kept, type Piece } from './plan.ts'
import type { Sketch } from './sums.ts'
import type { UsageBucketType, UsageQuery } from './usage.type.ts'

const MOST_BUCKETS = 10_000
/** Single requests that are read for one answer; and where nothing else is done meanwhile. */
const MOST_READ = 1_000_000
const MOST_READ_HOLDING = 100_000
/** Of percentiles: they are put together in this process. */
const MOST_SKETCH_BYTES = 64_000_000
/** Answers that are put together at once, whatever one operation asks for: those who store records need connections, too. */
const MOST_AT_ONCE = 3
const MOST_AT_ONCE_HOLDING = 1
const MOST_WAITING = 100

/** Of one answer. */
export interface UsageLimits {
  /** Single requests that are read. */
  readonly read: number
  readonly sketchBytes: number
}

/** Quantiles, as the API calls them: of which sketch, and which share of it. */
const QUANTILES = {
  latencyP50Ms: ['latency', 0.5],
  latencyP95Ms: ['latency', 0.95],
  latencyP99Ms: ['latency', 0.99],
  timeToFirstTokenP50Ms: ['first_token', 0.5],
  timeToFirstTokenP95Ms: ['first_token', 0.95],
} as const satisfies Partial<Record<keyof UsageBucketType, readonly [Sketch, number]>>

/** What was used, by the records of requests that were stored. */
export class UsageService {
  readonly #database: Database
  readonly #recordDays: number
  readonly #limits: UsageLimits
  readonly #places: Places

  /** @param recordDays for how many days records are kept */
  constructor(database: Database, recordDays: number, limits: Partial<UsageLimits> = {}) {
    this.#database = database
    this.#recordDays = recordDays
    this.#limits = {
      read: database.holdsProcess ? MOST_READ_HOLDING : MOST_READ,
      sketchBytes: MOST_SKETCH_BYTES,
      ...limits,
    }
    this.#places = new Places(database.holdsProcess ? MOST_AT_ONCE_HOLDING : MOST_AT_ONCE, MOST_WAITING)
  }

  /**
   * By start, then by dimensions in the order in which they are grouped by.
   * @param selected fields of a bucket: what takes longer is left out (null) where it is not among them
   * @throws GraphQLError BAD_USER_INPUT also for what is kept no longer, or would take too long
   * @throws NoPlace
   */
  async usage(scope: Scope, query: UsageQuery, selected: ReadonlySet<string>): Promise<UsageBucketType[]> {
    const question = readQuestion(query, scope)
    if (question.range.from >= question.range.to) return []
    return this.#places.take(() => this.#bucketsOf(question, selected))
  }

  async #bucketsOf(question: Question, selected: ReadonlySet<string>): Promise<UsageBucketType[]> {
    const { range, interval } = question
    const kept = await readKept(this.#database.em(), this.#recordDays)
    const pieces = question.needsRecords ? planOfRecords(range, kept) : planOf(range, interval, kept)
    const sketches = new Set(Object.entries(QUANTILES).flatMap(([field, [of]]) => (selected.has(field) ? [of] : [])))
    try {
      await this.#checkScan(question, pieces, kept)
      const rows = await this.#answer({ ...question, pieces, sketches: [...sketches] })
      if (rows.some((row) => [...sketches].some((name) => row[name] === null)))
        throw tooMuch('has too many percentiles')
      return rows.map((row) => toBucket(row, question))
    } catch (error) {
      throw isStatementTimeout(error) ? tooMuch('takes too long to add up') : error
    }
  }

  async #answer(asked: Asked): Promise<AnswerRow[]> {
    const { sql, values } = answerStatement(asked, {
      rows: MOST_BUCKETS + 1,
      sketchBytes: this.#limits.sketchBytes,
    })
    const rows = await this.#database.em().execute<AnswerRow[]>(sql, [...values])
    if (rows.length <= MOST_BUCKETS) return rows
    const reason = `makes more than ${MOST_BUCKETS} buckets: ask for less time, longer intervals or fewer dimensions`
    throw badInput('query', reason)
  }

  /** Refuses to read more single requests than can be read in time, before it is tried. */
  async #checkScan({ found }: Question, pieces: readonly Piece[], kept: Kept): Promise<void> {
    const scanned = pieces.filter(({ tier, from, to }) => tier === 'record' && to - from > MINUTE_MS)
    if (found === null || scanned.length === 0) return
    let count = 0
    for (const piece of scanned) count += await this.#count(piece, found, kept)
    if (count <= this.#limits.read) return
    const reason = `would have to read more than ${this.#limits.read} requests one by one`
    throw badInput('query', `${reason}: ask for less time, or for a token`)
  }

  /** Of requests, about: those of the whole hours. */
  async #count({ from, to }: Range, found: NonNullable<Question['found']>, kept: Kept): Promise<number> {
    const range = { from: floorTo(from, HOUR_MS), to: ceilTo(to, HOUR_MS) }
    const pieces = planOf(range, 'TOTAL', kept)
    const [row] = await this.#answer({ ...found, range, pieces, interval: 'TOTAL', groupBy: [], sketches: [] })
    return Number(row?.requests ?? 0)
  }
}

function tooMuch(reason: string): Error {
  return badInput('query', `${reason}: ask for less time, fewer dimensions, or with a narrower filter`)
}

function toBucket(row: AnswerRow, { groupBy }: Question): UsageBucketType {
  const quantiles = Object.fromEntries(
    Object.entries(QUANTILES).map(([field, [of, share]]) => {
      const sketch = row[of]
      return [field, sketch == null ? null : quantileOf(countsOf(sketch), share)]
    }),
  ) as Record<keyof typeof QUANTILES, number | null>
  return {
    start: new Date(row.start),
    dimensions: Object.fromEntries(groupBy.map((dimension, i) => [dimension, row.dimensions[i] ?? null])),
    requests: Number(row.requests),
    errors: Number(row.errors),
    cancelled: Number(row.cancelled),
    cacheHits: Number(row.cache_hits),
    coalesced: Number(row.coalesced),
    inputTokens: Number(row.input_tokens),
    outputTokens: Number(row.output_tokens),
    cachedInputTokens: Number(row.cached_input_tokens),
    reasoningTokens: Number(row.reasoning_tokens),
    costUsd: row.cost_usd,
    ...quantiles,
  }
}
