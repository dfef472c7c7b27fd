/** Whose a journal is, by its name. */
import { isOrphaned, newOwnName } from '../owner.ts'

const NAME = /^limits-(.+)\.(?:journal|new)$/

/** A name for a journal of this process. */
export function newJournalName(): string {
  return `limits-${newOwnName()}.journal`
}

/** Whether a file is a journal, or what was to become one, whose owner is dead. @param mtimeMs of the file */
export function isOrphan(name: string, mtimeMs: number): boolean {
  const [, owned] = NAME.exec(name) ?? []
  return owned !== undefined && isOrphaned(owned, mtimeMs)
}
