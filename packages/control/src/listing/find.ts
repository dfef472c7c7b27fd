/**
 * The newest rows that a filter means, however many there are that it does not. First a few rows are read in their order, which
 * is all there is to do where many are meant. How many of them meet which condition tells how to go on: in their order, or by
 * the index that finds the fewest.
 */
import type { Database, Em } from '../db/database.ts'
import { isStatementTimeout } from '../db/failure.ts'
import { partitionDays } from '../db/partitions.ts'
import { badInput } from '../graphql/errors.ts'
import { facetsOf, type Facets } from './facets.ts'
import { byWay, walk, type Walked } from './queries.ts'
import type { Place, Question, Way } from './question.ts'
import { stretchesOf, type Stretch } from './spans.ts'

/** Longer a page may not take, as far as that lies with us. */
const DEADLINE_MS = 2_000
/** Rows that are read in their order at once: first, and at most, so that others have their turn between. */
const SLICE = { first: 2_000, most: 32_000 }
/** What it costs to read a row in its order, in the index alone or with its columns; to begin at a place of an index; to read a row there. */
const COST = { index: 0.3, row: 1, probe: 3, found: 3 }

interface Search {
  readonly em: Em
  readonly question: Question
  readonly facets: Facets | null
  readonly ways: readonly Way[]
  readonly deadline: number
  /** By which it goes on from stretch to stretch; null: first in the rows' order. */
  way: Way | null
}

/**
 * @param after the place after which they begin; null: with the newest
 * @returns so many places, or fewer if there are no more
 * @throws GraphQLError BAD_USER_INPUT if it takes too long
 */
export async function findPlaces(
  database: Database,
  question: Question,
  after: Place | null,
  count: number,
): Promise<Place[]> {
  const em = database.em()
  try {
    const facets = await facetsOf(em, question)
    if (facets?.named?.length === 0) return []
    const byFacet: Way[] = facets?.named
      ? [{ condition: facets.condition, by: 'facet', values: facets.named, type: 'bigint' }]
      : []
    const ways = [...question.ways, ...byFacet]
    const search = {
      em,
      question,
      facets,
      ways,
      deadline: performance.now() + DEADLINE_MS,
      way: ways.find(({ few }) => few) ?? null,
    }
    const days = await partitionDays(em, question.listing.table)
    const found: Place[] = []
    for (const stretch of stretchesOf(days, ...boundsOf(question, after))) {
      found.push(...(await findIn(search, stretch, after, count - found.length)))
      if (found.length === count) break
    }
    return found
  } catch (error) {
    throw isStatementTimeout(error) ? tooLong() : error
  }
}

function boundsOf({ from, to }: Question, after: Place | null): [from: number, to: number] {
  const end = after === null ? Infinity : new Date(after.startedAt).getTime() + 1
  return [from?.getTime() ?? -Infinity, Math.min(to?.getTime() ?? Infinity, end)]
}

async function findIn(search: Search, stretch: Stretch, after: Place | null, count: number): Promise<Place[]> {
  const { em, question, facets, ways, deadline } = search
  const found: Place[] = []
  const isPlain = facets === null && question.rows.length === 0
  let before = after
  for (let size = isPlain ? count : SLICE.first; ; size = Math.min(size * 4, SLICE.most)) {
    if (performance.now() > deadline) throw tooLong()
    const left = count - found.length
    if (search.way) return byWay(em, question, facets, search.way, stretch, before, left)
    const walked = await walk(em, question, facets, ways, stretch, before, size, left)
    found.push(...walked.found)
    before = walked.last
    if (found.length === count || walked.read < size) return found
    const way = bestWay(search, stretch, walked, count - found.length)
    if (way === null) continue
    // What a search finds is read whole: for each stretch it is to be known anew that it is little.
    if (way.by !== null) search.way = way
    return [...found, ...(await byWay(em, question, facets, way, stretch, before, count - found.length))]
  }
}

/** Null: to go on in their order costs less. */
function bestWay({ question, ways }: Search, stretch: Stretch, walked: Walked, count: number): Way | null {
  const partitions = stretch.reduce((sum, { days }) => sum + Math.max(1, days), 0)
  // Of none, half a one is guessed.
  const share = count / Math.max(walked.found.length, 0.5)
  let best: Way | null = null
  let least =
    walked.found.length === 0 ? Infinity : walked.read * share * (question.columns.length > 0 ? COST.row : COST.index)
  for (const [i, way] of ways.entries()) {
    const cost = Math.max(1, way.values.length) * partitions * COST.probe + walked.counts[i]! * share * COST.found
    if (cost < least) [best, least] = [way, cost]
  }
  return best
}

function tooLong(): Error {
  return badInput('filter', 'there is too much to look through: narrow it by from and to')
}
