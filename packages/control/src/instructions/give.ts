/** How something is written that every proxy is to do. Each kind has a table of its own; their numbers are one row. */
import type { Em } from '../db/database.ts'
import { INSTRUCTION_LOCK } from '../db/locks.ts'

/** The channel on which it is announced that there is an instruction. */
export const INSTRUCTION_CHANNEL = 'millrace_instruction'

/** How long a proxy that was away is told of one when it is back. */
export const INSTRUCTION_SECONDS = 3_600

/**
 * Writes one, within a transaction, and announces it.
 * @param insert a statement whose row takes its number from `instruction_number`, and its `at` from `clock_timestamp()`
 * @returns what the statement returns
 */
export async function giveInstruction<Row>(em: Em, insert: string, values: readonly unknown[]): Promise<Row> {
  await em.execute('select pg_advisory_xact_lock(?)', [INSTRUCTION_LOCK])
  const [row] = await em.execute<Row[]>(insert, [...values])
  await em.execute("select pg_notify(?, '')", [INSTRUCTION_CHANNEL])
  return row!
}
