/** `npm run rebuild-usage`: sums usage up anew, from the records. */
import { runCommand } from './command.ts'
import { rebuildUsage, type Rebuilt } from './usage/rebuild.ts'

const HELP = `Usage: npm run rebuild-usage

Makes the sums that usage is answered from anew, from the records of requests: a day (UTC) after the other, the oldest
first. Days of which records are no longer kept stay as they are. It reads the same settings as the control plane.

On a PostgreSQL server it runs beside control planes: what is stored meanwhile is counted once, and a day is answered as
before until it is done. With the embedded database the control plane has to be stopped. Ended anywhere, it leaves each day
as it was or done; run again, it begins anew.

Exit codes: 0 done; 1 it could not begin, or the database went away; 3 ended by a signal, run it again.
`

const ENDED = 3

await runCommand(
  { name: 'rebuild-usage', help: HELP, heldWhile: 'while usage is summed up anew', patient: true },
  async ({ settings, database, signal }) => {
    let days = 0
    const told = ({ day, requests }: Rebuilt): void => {
      days++
      process.stdout.write(`${day}: ${requests} ${requests === 1 ? 'request' : 'requests'}\n`)
    }
    try {
      await database.exclusively(() => database.migrate(), signal)
      await rebuildUsage(database, settings.MILLRACE_RECORD_DAYS, told, signal)
      process.stdout.write(`The usage of ${days} ${days === 1 ? 'day' : 'days'} was summed up anew.\n`)
      return 0
    } catch (error) {
      if (!signal.aborted) throw error
      process.stdout.write(`ended after ${days} ${days === 1 ? 'day' : 'days'}: run it again\n`)
      return ENDED
    }
  },
)
