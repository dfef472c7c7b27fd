/**
 * The database as the rest of the control plane sees it: PostgreSQL, embedded or a server.
 * Must never know tables.
 */
import type { MikroORM, SqlEntityManager } from '@mikro-orm/sql'

import { Turns } from './turns.ts'

/** A unit of work, with entities and raw SQL. */
export type Em = SqlEntityManager

/** Of a pool: how many there are of each, and how many queries wait for one. */
export interface Connections {
  readonly busy: number
  readonly idle: number
  readonly waiting: number
}

/** Stops a listener. */
export type Unlisten = () => Promise<void>

export interface Database {
  /**
   * A new unit of work. Hazard: the embedded database has one connection, so that a query of a second unit of work
   * inside the first one's transaction waits for ever. One unit of work per transaction, handed on.
   */
  em(): Em
  /** Where changes of configuration wait for each other, before they take a connection. */
  readonly changes: Turns
  /** Applies the migrations that this database has not seen. */
  migrate(): Promise<void>
  /**
   * Runs `work` while no other process does so on this database.
   * @param signal ends the waiting
   */
  exclusively<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
  /**
   * Calls back at each NOTIFY of a channel, from now until stopped. A server's connection that is lost is opened again;
   * what was notified meanwhile is not heard, so poll as well.
   */
  listen(channel: string, heard: () => void): Promise<Unlisten>
  /** Whether a statement keeps this process from all else while it runs. */
  readonly holdsProcess: boolean
  /** How the connections are used; null: there is but the one. */
  connections(): Promise<Connections | null>
  /** Ends all connections, once what runs on them has finished. */
  close(): Promise<void>
}

const CHANGE_WAIT_MS = 10_000

/** What both kinds of database do alike, over one ORM instance. */
export abstract class OrmDatabase implements Database {
  readonly changes = new Turns(CHANGE_WAIT_MS)
  protected readonly orm: MikroORM

  constructor(orm: MikroORM) {
    this.orm = orm
  }

  em(): Em {
    return this.orm.em.fork()
  }

  async migrate(): Promise<void> {
    await this.orm.migrator.up()
  }

  abstract exclusively<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
  abstract listen(channel: string, heard: () => void): Promise<Unlisten>
  abstract readonly holdsProcess: boolean
  abstract connections(): Promise<Connections | null>

  async close(): Promise<void> {
    await this.orm.close()
  }
}
