/** Every migration, in the order in which they are applied. A migration that was released is never changed. */
import { Migration0001 } from './0001-initial.ts'

export const migrations = [{ name: '0001-initial', class: Migration0001 }] as const
