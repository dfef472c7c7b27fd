/** `npm run rekey`: after a change of the master key, seals what is stored under the new one. */
import { runCommand } from './command.ts'
import { masterKeysOf } from './secrets/master-key.ts'
import { rekey, type Outcome } from './secrets/rekey.ts'

const HELP = `Usage: npm run rekey

Re-encrypts all stored upstream keys: from the master key in MILLRACE_MASTER_KEY_PREVIOUS to the one in
MILLRACE_MASTER_KEY, or else in master.key in MILLRACE_DATA_DIR. It reads the same settings as the control plane.

It works in small steps, each of which holds: ended anywhere, it goes on when it is run again. On a PostgreSQL server
it runs beside control planes and proxies that have been given both keys. With the embedded database the control plane
has to be stopped.

Exit codes: 0 all is encrypted under the new key; 1 it could not begin, or the database went away;
2 some keys open under neither master key, and were left as they are; 3 ended by a signal, run it again.
`

const LEFT = 2
const ENDED = 3

await runCommand(
  { name: 'rekey', help: HELP, heldWhile: 'while keys are re-encrypted', patient: false },
  async ({ settings, dataDir, database, signal }) => {
    const keys = masterKeysOf(settings, dataDir)
    await database.exclusively(() => database.migrate(), signal)
    const told = ({ done, total }: { done: number; total: number }): void =>
      void process.stdout.write(`re-encrypted ${done} of ${total}\n`)
    return report(await rekey(database, keys, told, signal), keys.current.id, signal.aborted)
  },
)

/** @returns the exit code */
function report({ done, total, failed }: Outcome, keyId: string, wasEnded: boolean): number {
  for (const one of failed) process.stderr.write(`millrace: left as it is: ${one}\n`)
  if (done + failed.length < total && wasEnded) {
    process.stdout.write(`ended with ${total - done} left: run it again\n`)
    return ENDED
  }
  if (failed.length > 0) return LEFT
  process.stdout.write(
    `All upstream keys are encrypted under the master key ${keyId}. MILLRACE_MASTER_KEY_PREVIOUS is not needed any more.\n`,
  )
  return 0
}
