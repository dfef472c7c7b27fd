/** The bench's command line. */
import { parseArgs } from 'node:util'

export const SCENARIOS = ['json', 'sse', 'saturated', 'latency', 'routing', 'storm'] as const
export type ScenarioName = (typeof SCENARIOS)[number]

export interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly only: readonly ScenarioName[]
  readonly against: string | null
  readonly nodeArgs: readonly string[]
  readonly without: readonly string[]
  readonly json: boolean
}

export const HELP = `Measures one proxy process, a bare pass (client straight to upstream) and nginx, interleaved, on this machine.

  npm run bench -- [options]

  --rounds N        rounds of each scenario; medians are shown (default 4)
  --seconds N       length of one measurement (default 2)
  --only NAMES      of json, sse, saturated, latency, routing, storm; comma-separated (default: all)
  --against FOLDER  another build of the proxy (its dist folder), measured beside this one in the same rounds
  --node-args=ARGS  Node's arguments for the proxies, in place of those of \`npm run proxy\`
  --without NAMES   leave out nginx, or millrace, or both
  --json            figures as JSON on stdout, progress on stderr
  --help            this text

json       CPU µs a request and requests/s: 1 KB each way, 64 connections, each its next request as soon as it has an answer.
sse        CPU µs a chunk, one chunk a read: 200 streams, 100 chunks each, 20 ms apart. What the stream's request costs is included.
saturated  CPU µs a chunk: 16 streams as fast as they go, 8 chunks a read.
latency    p50 and p99 at 500 requests/s, less those of the bare pass in the same round.
routing    CPU µs a request as in json, in turns: by an alias of one route; by one of ten, by weight, whose records tell of
           ten candidates; by one of ten, by latency, each request of a new user, who is bound to his route. Of the last
           there are 1,000. Two rounds at most.
storm      8 seconds of 1,000 requests/s onto a provider that answers 503, a healthy one beside it: how many were answered,
           p99 less that of the plain path at the same rate, calls that the dead one gets. Two rounds at most.

CPU is that of the proxy process alone, the sending of its records included, less what it uses without any request. It runs
on core 0 where taskset is at hand; load generator, upstream and control plane share core 1, so requests/s of what is cheap
are bounded by these (marked >).
`

/** @throws Error for what it can't use, with a line that says so */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '4' },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string' },
      against: { type: 'string' },
      'node-args': { type: 'string' },
      without: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const only = values.only?.split(',') ?? SCENARIOS
  for (const name of only) {
    if (!(SCENARIOS as readonly string[]).includes(name))
      throw new Error(`--only: ${name} is none of ${SCENARIOS.join(', ')}`)
  }
  return {
    rounds: within('--rounds', values.rounds, 1, 100),
    seconds: within('--seconds', values.seconds, 0.2, 60),
    only: only as ScenarioName[],
    against: values.against ?? null,
    nodeArgs: values['node-args']?.split(' ').filter(Boolean) ?? DEFAULT_NODE_ARGS,
    without: values.without.split(','),
    json: values.json,
  }
}

/** As `npm run proxy` starts it. */
const DEFAULT_NODE_ARGS = ['--max-semi-space-size=16']

function within(name: string, value: string, min: number, max: number): number {
  const number = Number(value)
  if (!(number >= min && number <= max)) throw new Error(`${name} must be a number from ${min} to ${max}`)
  return number
}
