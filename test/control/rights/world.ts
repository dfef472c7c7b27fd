/** Two projects of which a key is bound to one, and things that are theirs or nobody's: each is named by whose it is. */
import {
  INGEST_RECORDS_MUTATION,
  newId,
  stickyKey,
  STORE_DEBUG_EXCHANGES_MUTATION,
  type RequestRecord,
} from '@millrace/shared'

import type { ControlProcess } from '../../helpers/control.ts'
import { uniqueName } from '../../helpers/names.ts'
import { sampleExchange } from '../debug/sample-exchange.ts'
import * as documents from '../documents.ts'
import { sample } from '../sample.ts'

/** Seen from the keys that are bound: their project's, another project's, or no project's. */
export const WHOSE = ['own', 'other', 'global'] as const
export type Whose = (typeof WHOSE)[number]

export const ROLES = ['ADMIN', 'EDITOR', 'VIEWER', 'PROXY'] as const
export type RoleName = (typeof ROLES)[number]
/** A key cannot be bound that serves proxies. */
export const BOUND_ROLES = ['ADMIN', 'EDITOR', 'VIEWER'] as const

/** Stands in the names of all that is somebody's. */
export const markOf = (whose: Whose): string => `of-${whose}`

const CREATE_KEY =
  'mutation ($name: String!, $role: Role!, $projects: [ID!]) { it: createAdminKey(name: $name, role: $role, projects: $projects) { secret adminKey { id name } } }'

export type Things = Readonly<Record<Whose, string>>

export class World {
  readonly control: ControlProcess
  /** Of routes; nobody's, and named so. */
  provider!: string
  projects!: Readonly<Record<'own' | 'other', string>>
  aliases!: Things
  tokens!: Readonly<Record<'own' | 'other', string>>
  records!: Readonly<Record<'own' | 'other', string>>
  /** The revision that made the alias. */
  revisions!: Readonly<Record<Whose, number>>
  /** By `ADMIN` or, of those that are bound, `ADMIN bound`. */
  readonly keys = new Map<string, string>()

  constructor(control: ControlProcess) {
    this.control = control
  }

  async ask(document: string, variables = {}): Promise<any> {
    return (await this.control.gql(document, variables)).it
  }

  /** Null: no project. */
  projectOf(whose: Whose): string | null {
    return whose === 'global' ? null : this.projects[whose]
  }

  async makeProject(name: string): Promise<string> {
    return (await this.ask(documents.CREATE_PROJECT, { input: { name: uniqueName(name) } })).id
  }
  async makeProvider(): Promise<string> {
    const input = { name: uniqueName(markOf('global')), kind: 'SIMULATED' }
    return (await this.ask(documents.CREATE_PROVIDER, { input })).id
  }
  async makeAlias(whose: Whose): Promise<{ id: string; route: string }> {
    const routes = [{ provider: this.provider, name: markOf(whose) }]
    const input = { name: uniqueName(markOf(whose)), project: this.projectOf(whose), routes }
    const { id, routes: made } = await this.ask(documents.CREATE_ALIAS, { input })
    return { id, route: made[0].id }
  }
  async makeToken(whose: 'own' | 'other'): Promise<string> {
    const input = { name: uniqueName(markOf(whose)), project: this.projects[whose] }
    return (await this.ask(documents.CREATE_TOKEN, { input })).token.id
  }
  async makeCredential(whose: Whose): Promise<string> {
    const input = { apiKey: newId(), label: markOf(whose), project: this.projectOf(whose) }
    return (await this.ask(documents.ADD_CREDENTIAL, { provider: this.provider, input })).id
  }
  async makeKey(whose: Whose): Promise<string> {
    const project = this.projectOf(whose)
    const projects = project === null ? null : [project]
    const name = uniqueName(`key ${markOf(whose)}`)
    return (await this.ask(CREATE_KEY, { name, role: 'VIEWER', projects })).adminKey.id
  }

  /** A request of a project, or of nobody who is known. */
  async makeRecord(whose: Whose, more: Partial<RequestRecord> = {}): Promise<RequestRecord> {
    const tokenId = whose === 'global' ? null : this.tokens[whose]
    const record = sample({ projectId: this.projectOf(whose), tokenId, model: markOf(whose), ...more })
    await this.control.gql(INGEST_RECORDS_MUTATION, { records: [record] }, this.control.proxyKey)
    return record
  }

  /** Captures are on from now on. */
  capture(): Promise<unknown> {
    return this.ask('mutation { it: setDebugCapture(enabled: true) { enabled } }')
  }

  async #makeExchange(whose: Whose, id: string): Promise<void> {
    const tokenId = whose === 'global' ? null : this.tokens[whose]
    const mark = markOf(whose)
    const exchange = sampleExchange({ id, projectId: this.projectOf(whose), tokenId, model: mark, requestBody: mark })
    const variables = { exchanges: [exchange] }
    await this.control.gql(STORE_DEBUG_EXCHANGES_MUTATION, variables, this.control.proxyKey)
  }

  async #newestRevision(): Promise<number> {
    return (await this.ask(documents.NEWEST_REVISION)).number
  }

  async build(): Promise<void> {
    const input = { name: uniqueName('provider of routes'), kind: 'OPENAI_COMPATIBLE', baseUrl: 'http://127.0.0.1:9' }
    this.provider = (await this.ask(documents.CREATE_PROVIDER, { input })).id
    await this.makeProvider()
    this.projects = { own: await this.makeProject(markOf('own')), other: await this.makeProject(markOf('other')) }
    const [aliases, revisions, routes] = [{}, {}, {}] as Record<Whose, any>[]
    for (const whose of WHOSE) {
      const { id, route } = await this.makeAlias(whose)
      aliases![whose] = id
      routes![whose] = route
      revisions![whose] = await this.#newestRevision()
      await this.makeCredential(whose)
      await this.makeKey(whose)
    }
    this.aliases = aliases as Things
    this.revisions = revisions as Readonly<Record<Whose, number>>
    this.tokens = { own: await this.makeToken('own'), other: await this.makeToken('other') }
    for (const role of ROLES) await this.#openKey(role, null)
    for (const role of BOUND_ROLES) await this.#openKey(role, [this.projects.own])
    const ids: Record<string, string> = {}
    for (const whose of ['own', 'other', 'global'] as const) ids[whose] = (await this.makeRecord(whose)).id
    this.records = ids as typeof this.records
    await this.capture()
    for (const whose of WHOSE) await this.#makeExchange(whose, ids[whose]!)
    for (const whose of ['own', 'other'] as const) await this.#bind(whose, routes!['global'])
  }

  async #openKey(role: RoleName, projects: readonly string[] | null): Promise<void> {
    const name = `key ${role}${projects ? ' bound' : ''}`
    const { secret } = await this.ask(CREATE_KEY, { name: uniqueName(name), role, projects })
    this.keys.set(projects ? `${role} bound` : role, secret)
  }

  /** A request of a project binds its subject to the route of the alias that is nobody's. */
  async #bind(whose: 'own' | 'other', routeId: string): Promise<void> {
    const key = stickyKey(this.aliases.global, this.projects[whose], 'USER', markOf(whose))
    const { decision, startedAt } = sample()
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    const sticky = { ...decision!.sticky, scope: 'USER', key, routeId, boundAt: startedAt, expiresAt } as const
    await this.makeRecord(whose, { aliasId: this.aliases.global, decision: { ...decision!, sticky } })
  }
}
