/** Rows by id, many fields' questions in one query. */
import type { UsedSubject } from '@millrace/shared'
import DataLoader from 'dataloader'

import { Alias } from '../aliases/alias.entity.ts'
import { Route } from '../aliases/route.entity.ts'
import type { Database } from '../db/database.ts'
import { Project } from '../projects/project.entity.ts'
import { ProviderCredential } from '../providers/credential.entity.ts'
import { Provider } from '../providers/provider.entity.ts'
import type { SpendingService, Used, UsedCredential } from '../spending/spending.service.ts'
import { Token } from '../tokens/token.entity.ts'

type Identified = { id: string }
type ById<T> = DataLoader<string, T | null>
type ByOwner<T> = DataLoader<string, T[]>

export interface Loaders {
  readonly alias: ById<Alias>
  readonly project: ById<Project>
  readonly provider: ById<Provider>
  readonly route: ById<Route>
  readonly token: ById<Token>
  /** What tokens and projects have used; never kept, since no revision says that it has changed. */
  readonly used: DataLoader<UsedSubject, Used>
  /** When upstream keys were last tried; never kept either. */
  readonly credentialUsed: DataLoader<UsedCredential, Date | null>
  /** In the order in which they were entered. */
  readonly credentialsOfProvider: ByOwner<ProviderCredential>
  /** By priority, and within one in the order in which they were given. */
  readonly routesOfAlias: ByOwner<Route>
}

/** @param remember whether what was found is kept until {@link forget}; else it is only asked for together */
export function createLoaders(database: Database, spending: SpendingService, remember: boolean): Loaders {
  const byId = <T extends Identified>(entity: new () => T): ById<T> => rowsById(database, entity, remember)
  return {
    alias: byId(Alias),
    project: byId(Project),
    provider: byId(Provider),
    route: byId(Route),
    token: byId(Token),
    used: usedOf(spending),
    credentialUsed: new DataLoader((credentials) => spending.credentialsUsed(credentials), { cache: false }),
    credentialsOfProvider: rowsByOwner(
      remember,
      (ids) =>
        database
          .em()
          .find(ProviderCredential, { provider: { $in: ids } }, { orderBy: { createdAt: 'asc', id: 'asc' } }),
      ({ provider }) => provider,
    ),
    routesOfAlias: rowsByOwner(
      remember,
      (ids) => database.em().find(Route, { alias: { $in: ids } }, { orderBy: { priority: 'asc', position: 'asc' } }),
      ({ alias }) => alias,
    ),
  }
}

/** Forgets what loaders have kept. */
export function forget(loaders: Loaders): void {
  for (const loader of Object.values(loaders) as { clearAll(): unknown }[]) loader.clearAll()
}

function usedOf(spending: SpendingService): Loaders['used'] {
  return new DataLoader(
    async (subjects) => {
      const asked = new Map(subjects.map((subject) => [keyOf(subject), subject]))
      const found = await spending.usedInOrder([...asked.values()])
      const used = new Map([...asked.keys()].map((key, i) => [key, found[i]!]))
      return subjects.map((subject) => used.get(keyOf(subject))!)
    },
    { cache: false },
  )
}

/** Operations that are asked for together may have read a token before and after its budget was changed. */
function keyOf({ id, window }: UsedSubject): string {
  return `${id} ${window}`
}

function rowsById<T extends Identified>(database: Database, entity: new () => T, cache: boolean): ById<T> {
  return new DataLoader(
    async (given) => {
      // As a client may have spelt them.
      const ids = given.map((id) => id.toLowerCase())
      const rows = (await database.em().find(entity as new () => Identified, { id: { $in: [...new Set(ids)] } })) as T[]
      const found = new Map(rows.map((row) => [row.id, row]))
      return ids.map((id) => found.get(id) ?? null)
    },
    { cache },
  )
}

function rowsByOwner<T>(
  cache: boolean,
  find: (owners: string[]) => Promise<T[]>,
  ownerOf: (row: T) => string,
): ByOwner<T> {
  return new DataLoader(
    async (owners) => {
      const found = Map.groupBy(await find([...new Set(owners)]), ownerOf)
      return owners.map((owner) => found.get(owner) ?? [])
    },
    { cache },
  )
}
