/**
 * Many records, and how long it takes to find some of them: `npm run build && node test/bench/volume.ts [options]`.
 *
 *   --records N   so many, over --days days (default 10,000,000 over 90; the last 30 with decisions)
 *   --days N
 *   --rounds N    of each question (default 9)
 *   --seconds N   for which records are sent, to PostgreSQL and to PGlite (default 10)
 *   --keep        leaves the server running, and says how to come to it
 *
 * On MILLRACE_TEST_DATABASE_URL's server, in a database of its own, else on one that is started for it. The records are made by
 * the database itself, into the tables that the migrations make; the sums of usage by the command that makes them anew. Then a
 * control process is asked over GraphQL. Times are those of a client on this machine, in ms.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import pg from 'pg'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { castOf, fill, type Cast } from './volume/fill.ts'
import { measureIngest } from './volume/ingesting.ts'
import { casesOf, type Case } from './volume/pages.ts'
import { runRebuild } from './volume/rebuild.ts'

const DAY_MS = 86_400_000
const DECIDED_DAYS = 30
const NODES = {
  requests: 'id requestId startedAt model status latencyMs costUsd attempts { providerName } decision { strategy }',
  routeDecisions: 'id requestId at model candidates { providerName } attempts { providerName }',
}
const FILTERS = { requests: 'RequestFilter', routeDecisions: 'DecisionFilter' }

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '10000000' },
    days: { type: 'string', default: '90' },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '10' },
    keep: { type: 'boolean', default: false },
  },
})
const [records, days, rounds, seconds] = [values.records, values.days, values.rounds, values.seconds].map(Number) as [
  number,
  number,
  number,
  number,
]

function put(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Of some runs, in ms. */
async function timesOf(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const began = performance.now()
    await work()
    times.push(performance.now() - began)
  }
  times.sort((a, b) => a - b)
  return `${times[times.length >> 1]!.toFixed(1).padStart(9)} ${times.at(-1)!.toFixed(1).padStart(9)}`
}

interface Found {
  readonly edges: readonly unknown[]
  readonly pageInfo: { readonly endCursor: string | null }
}

async function measurePages(control: ControlProcess, cast: Cast): Promise<void> {
  const page = async ({ list, filter }: Case, first: number, after: string | null): Promise<Found> => {
    const { it } = await control.gql<{ it: Found }>(
      `query ($filter: ${FILTERS[list]}, $first: Int, $after: String) {
        it: ${list}(filter: $filter, first: $first, after: $after) { edges { node { ${NODES[list]} } } pageInfo { endCursor } }
      }`,
      { filter, first, after },
    )
    return it
  }
  put(`\n${'a page of 50'.padEnd(50)} rows       p50       max`)
  for (const one of casesOf(cast)) {
    const far = new Date(Date.now() - (days / 3) * DAY_MS).toISOString()
    const after = one.deep
      ? (await page({ ...one, filter: { ...one.filter, to: far } }, 1, null)).pageInfo.endCursor
      : null
    let found = 0
    try {
      const times = await timesOf(async () => (found = (await page(one, 50, after)).edges.length))
      put(`${`${one.list}: ${one.name}`.padEnd(50)} ${String(found).padStart(4)} ${times}`)
    } catch (error) {
      put(`${`${one.list}: ${one.name}`.padEnd(50)} ${(error as Error).message}`)
    }
  }
  const { it } = await control.gql<{ it: { edges: { node: { id: string } }[] } }>(
    'query ($to: DateTime) { it: requests(first: 1, filter: { to: $to }) { edges { node { id } } } }',
    { to: new Date(Date.now() - (days / 3) * DAY_MS).toISOString() },
  )
  const id = it.edges[0]?.node.id
  if (id)
    put(
      `${'request(id)'.padEnd(55)} ${await timesOf(() => control.gql('query ($id: ID) { request(id: $id) { id } }', { id }))}`,
    )
}

async function measureUsage(control: ControlProcess): Promise<void> {
  const to = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS)
  const query = { from: new Date(to.getTime() - 30 * DAY_MS), to, interval: 'DAY', groupBy: ['MODEL'] }
  const document = `query ($query: UsageQuery!) { usage(query: $query) {
    start dimensions requests errors inputTokens outputTokens costUsd latencyP50Ms latencyP95Ms latencyP99Ms } }`
  put(`${'usage of 30 days, by day and model'.padEnd(55)} ${await timesOf(() => control.gql(document, { query }))}`)
}

async function measureIngesting(name: string, control: ControlProcess, cast: Cast): Promise<void> {
  const { perSecond, cpuMicros, lagMs } = await measureIngest(control, cast, seconds)
  put(
    `${`records/s, ${name}`.padEnd(55)} ${perSecond.toFixed(0).padStart(9)}   (control: ${cpuMicros.toFixed(0)} µs CPU a record; ` +
      `feed: ${lagMs.toFixed(0)} ms from sending, at most)`,
  )
}

async function main(): Promise<void> {
  const cast = castOf()
  const server = await startPostgres()
  if ('skip' in server) throw new Error(server.skip)
  await using stack = new AsyncDisposableStack()
  stack.use(server)
  const database = stack.use(await server.createDatabase())
  const control = stack.use(await startControl({ databaseUrl: database.url }))
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const began = performance.now()
  const took = (): string => `${((performance.now() - began) / 1_000).toFixed(0)} s`
  await fill(client, { records, days, decidedDays: DECIDED_DAYS, cast }, (line) =>
    process.stderr.write(`${line}, ${took()}\n`),
  )
  const [size] = await database.query('select pg_size_pretty(pg_database_size(current_database())) as it')
  put(`${records.toLocaleString('en')} records over ${days} days made in ${took()}: ${size!['it']}`)
  await client.end()
  put(await runRebuild(database.url, control.dataDir))
  await measurePages(control, cast)
  await measureUsage(control)
  await measureIngesting('PostgreSQL', control, cast)
  const embedded = stack.use(await startControl())
  await measureIngesting('PGlite', embedded, cast)
  if (!values.keep) return
  put(`\nMILLRACE_DATABASE_URL=${database.url}, admin key ${control.adminKey}; ends with this process`)
  await sleep(2 ** 31 - 1)
}

await main()
