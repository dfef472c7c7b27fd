/** The publisher of snapshots by itself, in this process, on a database that the test writes. */
import assert from 'node:assert/strict'

import { newId, type SnapshotPart, type SnapshotToken, type UsedSubject } from '@millrace/shared'

import type { Database } from '../../packages/control/dist/db/database.js'
import { openDatabase } from '../../packages/control/dist/db/open.js'
import { changeConfiguration, MILLRACE } from '../../packages/control/dist/revisions/change.js'
import { SnapshotPublisher } from '../../packages/control/dist/snapshot/publisher.js'
import type { SnapshotSubscriber } from '../../packages/control/dist/snapshot/subscriber.js'
import type { DatabaseKind } from '../helpers/postgres.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { within } from '../helpers/wait.ts'

type Log = ConstructorParameters<typeof SnapshotPublisher>[2]

/** What a transfer held. */
export interface Told {
  readonly parts: readonly SnapshotPart[]
  readonly revision: number
  readonly since: number | null
  readonly mark: string
  readonly tokens: readonly SnapshotToken[]
}

export class Publishing implements AsyncDisposable {
  readonly database: Database
  readonly publisher: SnapshotPublisher
  readonly project = newId()
  /** What was logged, with its level. */
  readonly logged: string[] = []
  /** Each question for what was used: its subjects. */
  readonly asked: (readonly UsedSubject[])[] = []
  /** What is used, by id; an error: the database is away. */
  used: ReadonlyMap<string, { spentUsd: string; requests: number }> | Error = new Map()
  readonly #resources: AsyncDisposableStack

  private constructor(database: Database, resources: AsyncDisposableStack) {
    this.database = database
    this.#resources = resources
    const logged =
      (level: string) =>
      (...entry: unknown[]): unknown =>
        this.logged.push(`${level} ${String(entry.at(-1))}`)
    const log = { debug: () => undefined, info: logged('info'), warn: logged('warn'), error: logged('error') }
    const used = async (subjects: readonly UsedSubject[]) => {
      this.asked.push(subjects)
      if (this.used instanceof Error) throw this.used
      return this.used
    }
    this.publisher = new SnapshotPublisher(database, { used }, log as unknown as Log)
  }

  /** With so many tokens, all of one project, at revision 1. */
  static async start(kind: DatabaseKind, tokens: number): Promise<Publishing> {
    await using resources = new AsyncDisposableStack()
    const folder = resources.use(await temporaryFolder())
    const { databaseUrl, [Symbol.asyncDispose]: drop } = await kind.create()
    resources.defer(drop)
    const silent = { debug: () => undefined } as unknown as Log
    const database = await openDatabase(databaseUrl, folder.path, silent)
    resources.defer(() => database.close())
    await database.migrate()
    const publishing = new Publishing(database, resources.move())
    await publishing.#fill(tokens)
    await publishing.publisher.start()
    publishing.#resources.defer(() => publishing.publisher.close())
    return publishing
  }

  async #fill(tokens: number): Promise<void> {
    await this.change(async (execute) => {
      await execute(
        `insert into project (id, name, active, created_at, updated_at) values (?, 'default', true, now(), now())`,
        [this.project],
      )
      await execute(
        `insert into token (id, project_id, name, prefix, digest, created_at, updated_at)
         select gen_random_uuid(), ?, 'token ' || i, 'sk-mr-' || i, encode(sha256(i::text::bytea), 'hex'), now(), now()
         from generate_series(1, ?) as i`,
        [this.project, tokens],
      )
      return [{ kind: 'project', id: this.project }]
    })
  }

  /** Makes one revision. @param work returns what it has changed, as revisions name it; no id: none is named */
  async change(
    work: (
      execute: (sql: string, values?: readonly unknown[]) => Promise<unknown>,
    ) => Promise<readonly { readonly kind: string; readonly id?: string }[]>,
  ): Promise<void> {
    await changeConfiguration(this.database, MILLRACE, 'test', async (change) => {
      const touched = await work((sql, values = []) => change.em.execute(sql, [...values]))
      for (const { kind, id } of touched) {
        const identity = id === undefined ? (undefined as unknown as { id: string }) : { id }
        change.created({ kind, name: 'changed', identity, owners: [] }, {})
      }
    })
  }

  /** Gives tokens another name, in one revision. */
  rename(ids: readonly string[], name: string): Promise<void> {
    return this.change(async (execute) => {
      await execute('update token set name = ? where id = any(?::uuid[])', [name, `{${ids.join(',')}}`])
      return ids.map((id) => ({ kind: 'token', id }))
    })
  }

  /** Ids of tokens, in order. */
  async tokens(count: number): Promise<string[]> {
    const rows = await this.database.em().execute<{ id: string }[]>('select id from token order by id limit ?', [count])
    return rows.map(({ id }) => id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

/** The next part. */
export async function part(subscriber: SnapshotSubscriber): Promise<SnapshotPart> {
  const { value } = await within(10_000, 'a part', subscriber.next())
  assert.ok(value, 'the subscription has ended')
  return value.document as SnapshotPart
}

/** The rest of a transfer. */
export async function transfer(subscriber: SnapshotSubscriber): Promise<Told> {
  const parts = [await part(subscriber)]
  while (!parts.at(-1)!.last) parts.push(await part(subscriber))
  const { revision, since, mark } = parts[0]!
  return { parts, revision, since, mark, tokens: parts.flatMap(({ tokens }) => tokens as SnapshotToken[]) }
}
