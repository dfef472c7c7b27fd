/** How far a key reaches: everywhere, or to what is global and to what belongs to its projects. */
import { forbidden } from '../graphql/errors.ts'
import type { SqlCondition } from '../requests/conditions.ts'

/** The projects that something belongs to; null: it is global. */
export type Owners = readonly string[] | null

/** Of what belongs to one project, or to none. */
export function ownersOf(project: string | null): Owners {
  return project === null ? null : [project]
}

/** Of a key. */
export class Scope {
  /** Null: everywhere. */
  readonly projects: ReadonlySet<string> | null

  /** @param projects null: everywhere */
  constructor(projects: readonly string[] | null) {
    this.projects = projects && new Set(projects)
  }

  /** The same for keys that reach as far. */
  get key(): string {
    return this.projects === null ? 'everywhere' : [...this.projects].sort().join()
  }

  /** Whether it may be read: for whoever may not, it is as if it were not there. */
  sees(owners: Owners): boolean {
    return this.projects === null || owners === null || this.#holds(this.projects, owners)
  }

  /** Whether it may be changed. */
  owns(owners: Owners): boolean {
    return this.projects === null || (owners !== null && this.#holds(this.projects, owners))
  }

  /** @throws GraphQLError FORBIDDEN unless it may be changed */
  requireOwn(owners: Owners): void {
    if (!this.owns(owners)) throw forbidden('the key is bound to projects: it changes only what is theirs')
  }

  /** Whether it is of the key's own projects: of requests and what was done, nothing is global. */
  isOwn(project: string | null): boolean {
    return this.projects === null || (project !== null && this.projects.has(project))
  }

  /** What {@link isOwn} asks, of the column that holds a project's id, as text or uuid. */
  ownRows(column: string): SqlCondition[] {
    return this.projects === null ? [] : [{ sql: `${column} = any(?)`, values: [this.#literal(this.projects)] }]
  }

  #holds(projects: ReadonlySet<string>, owners: readonly string[]): boolean {
    return owners.every((owner) => projects.has(owner))
  }

  /** As PostgreSQL writes an array of them. */
  #literal(projects: ReadonlySet<string>): string {
    return `{${[...projects].join(',')}}`
  }
}

export const EVERYWHERE = new Scope(null)
/** Of whoever has no key. */
export const NOWHERE = new Scope([])
