/** The configuration as it is held in memory, and how it is brought up to date: by reading what has changed, where that is known. */
import { isDeepStrictEqual } from 'node:util'

import type { Snapshot, SnapshotToken } from '@millrace/shared'

import type { Em } from '../db/database.ts'
import { toProject, toRouting, toToken, type Revised } from './build.ts'
import { instant, readAllTokens, readProjects, readRouting, readTokens } from './rows.ts'
import { touchedSince, type Touched } from './touched.ts'

/** By which a revision is known again: a database that was set back can have another of the same number. */
export interface Stamp {
  readonly number: number
  /** Empty where there is no revision yet. */
  readonly createdAt: string
}

export interface HeldConfiguration extends Revised {
  readonly stamp: Stamp
  /** By id. Brought up to date in place. */
  readonly tokens: ReadonlyMap<string, SnapshotToken>
}

/** What a revision is that was read. */
export type Reading = WholeReading | StepReading

/** Everything. */
export interface WholeReading {
  readonly kind: 'whole'
  readonly stamp: Stamp
  /** Whether what was held is no part of the history that the database has now. */
  readonly otherHistory: boolean
  readonly routing: Pick<Snapshot, 'providers' | 'aliases'>
  readonly projects: Snapshot['projects']
  readonly tokens: Map<string, SnapshotToken>
}

/** What differs from what was held. Null: nothing. */
export interface StepReading {
  readonly kind: 'step'
  readonly stamp: Stamp
  readonly routing: Pick<Snapshot, 'providers' | 'aliases'> | null
  readonly projects: Snapshot['projects'] | null
  readonly tokens: readonly SnapshotToken[]
  /** Ids. */
  readonly removedTokens: readonly string[]
}

export async function newestStamp(em: Em): Promise<Stamp> {
  const [stamp] = await em.execute<Stamp[]>(
    `select number, ${instant('created_at')} as "createdAt" from config_revision order by number desc limit 1`,
  )
  return stamp ?? { number: 0, createdAt: '' }
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.number === b.number && a.createdAt === b.createdAt
}

/**
 * Reads the newest revision.
 * @param em of one moment of the database
 * @param held what there is to build on; null: nothing
 */
export async function readNewest(em: Em, held: HeldConfiguration | null): Promise<Reading> {
  const stamp = await newestStamp(em)
  if (held === null) return readWhole(em, stamp, false)
  if (!(await isKnown(em, held.stamp))) return readWhole(em, stamp, true)
  const touched = await touchedSince(em, held.stamp.number)
  if (touched === null) return readWhole(em, stamp, false)
  return {
    kind: 'step',
    stamp,
    routing: touched.routing ? toRouting(await readRouting(em)) : null,
    projects: touched.projects ? (await readProjects(em)).map(toProject) : null,
    ...(await changedTokens(em, held, touched)),
  }
}

async function isKnown(em: Em, { number, createdAt }: Stamp): Promise<boolean> {
  const [row] = await em.execute<{ createdAt: string }[]>(
    `select ${instant('created_at')} as "createdAt" from config_revision where number = ?`,
    [number],
  )
  return (row?.createdAt ?? '') === createdAt
}

async function readWhole(em: Em, stamp: Stamp, otherHistory: boolean): Promise<WholeReading> {
  const tokens = new Map<string, SnapshotToken>()
  for await (const page of readAllTokens(em)) for (const row of page) tokens.set(row.id, toToken(row))
  return {
    kind: 'whole',
    stamp,
    otherHistory,
    routing: toRouting(await readRouting(em)),
    projects: (await readProjects(em)).map(toProject),
    tokens,
  }
}

async function changedTokens(
  em: Em,
  { tokens: held }: HeldConfiguration,
  touched: Touched,
): Promise<Pick<StepReading, 'tokens' | 'removedTokens'>> {
  const changed = new Map<string, SnapshotToken>()
  const found = new Set<string>()
  const take = (token: SnapshotToken): void => {
    found.add(token.id)
    // Much of a token is nothing to a proxy.
    if (!isDeepStrictEqual(token, held.get(token.id))) changed.set(token.id, token)
  }
  if (touched.tokens.length > 0) for (const row of await readTokens(em, touched.tokens)) take(toToken(row))
  for (const projectId of touched.tokensOf)
    for await (const page of readAllTokens(em, projectId)) for (const row of page) take(toToken(row))
  const removedTokens = touched.tokens.filter((id) => !found.has(id) && held.has(id))
  return { tokens: [...changed.values()], removedTokens }
}
