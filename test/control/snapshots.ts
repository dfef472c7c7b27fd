/** What control tells proxies, read as a proxy reads it. */
import assert from 'node:assert/strict'

import {
  parseSnapshotPart,
  readAlias,
  readProject,
  readProvider,
  readToken,
  SNAPSHOT_FORMAT,
  SNAPSHOTS_SUBSCRIPTION,
  type Snapshot,
  type SnapshotPart,
  type SnapshotPosition,
  type SnapshotToken,
} from '@millrace/shared'

import type { ControlProcess } from '../helpers/control.ts'
import type { Subscription } from '../helpers/graphql.ts'
import { within } from '../helpers/wait.ts'
import * as documents from './documents.ts'

/** One proxy's subscription, and what it knows by it. */
export class Follower implements AsyncDisposable {
  /** The parts of the last transfer. */
  parts: readonly SnapshotPart[] = []
  readonly #events: Subscription<Record<string, any>>
  #known: Omit<Snapshot, 'format' | 'tokens'> | null = null
  #tokens = new Map<string, SnapshotToken>()

  /** @param after what a proxy knows already; null: nothing */
  constructor(control: ControlProcess, after: Follower | null = null, key = control.proxyKey) {
    this.#events = control.subscribe(SNAPSHOTS_SUBSCRIPTION, { after: after?.position ?? null }, key)
    if (after === null) return
    this.#known = after.#known
    this.#tokens = new Map(after.#tokens)
    this.parts = after.parts
  }

  /** Null before the first transfer. */
  get position(): SnapshotPosition | null {
    const part = this.parts.at(-1)
    return part === undefined ? null : { revision: part.revision, mark: part.mark }
  }

  get snapshot(): Snapshot {
    assert.ok(this.#known, 'nothing was told yet')
    return { format: SNAPSHOT_FORMAT, ...this.#known, tokens: [...this.#tokens.values()] }
  }

  /** What the last transfer held: of tokens and of what is no more the ids, and whether it took the place of everything. */
  get told(): { whole: boolean; replaces: readonly string[]; tokens: string[]; removedTokens: string[] } {
    return {
      whole: this.parts[0]!.since === null,
      replaces: this.parts[0]!.replaces,
      tokens: this.parts.flatMap(({ tokens }) => tokens.map((token) => (token as SnapshotToken).id)),
      removedTokens: this.parts.flatMap(({ removedTokens }) => removedTokens),
    }
  }

  /** The next part, before it is known to make sense. */
  async part(): Promise<SnapshotPart> {
    const { done, value } = await within(10_000, 'a snapshot', this.#events.next())
    assert.ok(!done, 'the subscription has ended')
    const part = parseSnapshotPart(value['snapshots'].document)
    assert.equal(part.revision, value['snapshots'].revision)
    return part
  }

  /** Takes the next transfer, whole. @returns what is known then */
  async next(): Promise<Snapshot> {
    const parts = [await this.part()]
    while (!parts.at(-1)!.last) parts.push(await this.part())
    this.#take(parts)
    return this.snapshot
  }

  /** Takes transfers until a revision is known, or one after it. */
  async until(revision: number): Promise<Snapshot> {
    for (;;) if ((await this.next()).revision >= revision) return this.snapshot
  }

  #take(parts: readonly SnapshotPart[]): void {
    const [first] = parts as [SnapshotPart]
    if (first.since !== null) assert.deepEqual({ revision: first.since, mark: first.mark }, this.position)
    for (const [index, { revision, mark, since, replaces, ...rest }] of parts.entries()) {
      const { revision: r, mark: m, since: s, replaces: all } = first
      assert.deepEqual([revision, mark, since, replaces, rest.index], [r, m, s, all, index])
    }
    const all = <K extends 'providers' | 'aliases' | 'projects' | 'tokens'>(list: K): unknown[] =>
      parts.flatMap((part) => part[list])
    const before = this.#known ?? { providers: [], aliases: [], projects: [] }
    const routing = first.replaces.includes('routing')
    this.#known = {
      revision: first.revision,
      providers: routing ? all('providers').map(readProvider) : before.providers,
      aliases: routing ? all('aliases').map(readAlias) : before.aliases,
      projects: first.replaces.includes('projects') ? all('projects').map(readProject) : before.projects,
    }
    if (first.replaces.includes('tokens')) this.#tokens.clear()
    for (const token of all('tokens').map(readToken)) this.#tokens.set(token.id, token)
    for (const id of parts.flatMap(({ removedTokens }) => removedTokens)) this.#tokens.delete(id)
    this.parts = parts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events[Symbol.asyncDispose]()
  }
}

/**
 * The snapshot of the newest revision. A proxy that connects a moment after a change may still be told what was before
 * it, and then what is.
 */
export async function newestSnapshot(control: ControlProcess): Promise<Snapshot> {
  const { it: newest } = await control.gql(documents.NEWEST_REVISION)
  await using follower = new Follower(control)
  return await follower.until(newest.number)
}
