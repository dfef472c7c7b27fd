/**
 * A snapshot on its way to a proxy, and on a proxy's disk: a transfer of one part or more, each small enough to be read
 * while requests are served. A transfer is the whole configuration, or what has changed since a revision that the proxy has.
 * It is taken whole or not at all.
 */
import * as z from 'zod'

import { parseAs } from './parse.ts'
import { SNAPSHOT_FORMAT, type Snapshot, type SnapshotToken } from './snapshot.ts'

/** Things in one part. */
export const MOST_IN_PART = 500
/** Characters of JSON in one part, roughly. A single thing may have more: none is cut. */
export const MOST_CHARACTERS = 500_000

/** What a transfer can send anew as a whole. Tokens are so only in a whole transfer: else they come one by one. */
export const SNAPSHOT_GROUPS = ['routing', 'projects', 'tokens'] as const
export type SnapshotGroup = (typeof SNAPSHOT_GROUPS)[number]

const part = z.object({
  format: z.literal(SNAPSHOT_FORMAT),
  /** What the proxy is at once it has the whole transfer. */
  revision: z.int().min(0),
  /** By which the sender knows its own revisions again; opaque. */
  mark: z.string().min(1).max(100),
  /** The revision that the proxy must be at, with the same mark; null: none, the transfer is whole. */
  since: z.int().min(0).nullable(),
  /** 0 for the first part of a transfer. */
  index: z.int().min(0),
  last: z.boolean(),
  /** The same in each part: of these groups, what all parts hold takes the place of what there was. */
  replaces: z.array(z.enum(SNAPSHOT_GROUPS)),
  /** Read with readProvider and its like: each list holds what fits into the part. */
  providers: z.array(z.unknown()),
  aliases: z.array(z.unknown()),
  projects: z.array(z.unknown()),
  /** New ones, and changed ones, by id. */
  tokens: z.array(z.unknown()),
  /** Ids of tokens that are no more. */
  removedTokens: z.array(z.uuid()),
})
export type SnapshotPart = z.infer<typeof part>

/** Where a proxy stands: it wants to hear what comes after. */
export interface SnapshotPosition {
  readonly revision: number
  readonly mark: string
}

/** @throws Error naming the first path that is wrong, without its value; the things in the lists are not read yet */
export function parseSnapshotPart(value: unknown): SnapshotPart {
  return parseAs(part, value, 'snapshot part')
}

/** What a transfer holds. */
export interface TransferContents extends Pick<Snapshot, 'revision' | 'providers' | 'aliases' | 'projects' | 'tokens'> {
  readonly mark: string
  readonly since: number | null
  readonly replaces: readonly SnapshotGroup[]
  readonly removedTokens: readonly string[]
}

/** The whole configuration as a transfer. */
export function wholeTransfer(snapshot: Omit<Snapshot, 'format'>, mark: string): TransferContents {
  return { ...snapshot, mark, since: null, replaces: SNAPSHOT_GROUPS, removedTokens: [] }
}

/** In the order in which they are sent. */
const LISTS = ['providers', 'projects', 'aliases', 'tokens', 'removedTokens'] as const
type Lists = Pick<SnapshotPart, (typeof LISTS)[number]>

/** A transfer's parts, each made when it is asked for. */
export function* partsOf(
  contents: TransferContents,
  most: number = MOST_IN_PART,
  mostCharacters: number = MOST_CHARACTERS,
): Generator<SnapshotPart, void> {
  const { revision, mark, since, replaces } = contents
  let list = 0
  let from = 0
  for (let index = 0, last = false; !last; index++) {
    const lists = { providers: [], projects: [], aliases: [], tokens: [], removedTokens: [] } as Lists
    let count = 0
    let size = 0
    for (; list < LISTS.length; list++, from = 0) {
      const name = LISTS[list]!
      const things = contents[name]
      let to = from
      for (; to < things.length && count < most; to++, count++) {
        const more = charactersOf(name, things[to])
        if (count > 0 && size + more > mostCharacters) break
        size += more
      }
      Object.assign(lists, { [name]: things.slice(from, to) })
      from = to
      if (to < things.length) break
    }
    last = list === LISTS.length
    yield { format: SNAPSHOT_FORMAT, revision, mark, since, index, last, replaces: [...replaces], ...lists }
  }
}

/** Of a token that is as most are. */
const USUAL_CHARACTERS = 600

/** Roughly what a thing takes as JSON. Tokens are many, and only their access can be long. */
function charactersOf(list: keyof Lists, thing: unknown): number {
  const isUsual = list === 'tokens' && (thing as SnapshotToken | null)?.access === null
  return isUsual ? USUAL_CHARACTERS : JSON.stringify(thing).length
}
