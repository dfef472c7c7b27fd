/** Every migration, in the order in which they are applied. A migration that was released is never changed. */
import { Migration0001 } from './0001-initial.ts'
import { Migration0002 } from './0002-routing.ts'
import { Migration0003 } from './0003-observation.ts'

export const migrations = [
  { name: '0001-initial', class: Migration0001 },
  { name: '0002-routing', class: Migration0002 },
  { name: '0003-observation', class: Migration0003 },
] as const
