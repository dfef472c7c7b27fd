/** `npm run bench`: see options.ts for what it measures. */
import { cpus } from 'node:os'

import { peakMegabytes } from './cpu.ts'
import { DISTURBANCE } from './measurement.ts'
import { ALIAS } from './messages.ts'
import { HELP, readOptions, type Options } from './options.ts'
import { addLatencies, medians, table, type Rounds } from './report.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { startBench, type Bench, type Target } from './targets.ts'

/** Percent of nginx's waiting below which figures can be compared with another run's. */
const QUIET = 20

/** A process that compiles as it runs needs more than one that was compiled before. */
const WARM_UP_SECONDS = { proxy: 3, other: 0.5 }

function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Each round begins with another target, so that none always follows the same one. */
function turned(targets: readonly Target[], round: number): Target[] {
  const first = round % targets.length
  return [...targets.slice(first), ...targets.slice(0, first)]
}

/** Adds a scenario's figures to those of the rounds. Returns how much it was disturbed at most, in percent. */
async function runScenario(
  scenario: Scenario,
  bench: Bench,
  options: Options,
  all: ReadonlyMap<string, Rounds>,
): Promise<number> {
  const targets = bench.targets.filter(({ model }) => !scenario.gatewayOnly || model === ALIAS)
  const rounds = Math.min(options.rounds, scenario.mostRounds)
  progress(`${scenario.name}: warming up`)
  for (const target of targets) {
    await scenario.warmUp(target, bench, target.model === ALIAS ? WARM_UP_SECONDS.proxy : WARM_UP_SECONDS.other)
  }
  let worst = 0
  for (let round = 0; round < rounds; round++) {
    const line: string[] = []
    for (const target of turned(targets, round)) {
      const figures = await scenario.measure(target, bench, options.seconds)
      const list = all.get(target.name)!
      list[round] = { ...list[round], ...figures }
      worst = Math.max(worst, figures[DISTURBANCE] ?? 0)
      const shown = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(2)}`)
      line.push(`${target.name} ${shown.join(', ')}`)
    }
    progress(`${scenario.name} ${round + 1}/${rounds}: ${line.join(' | ')}`)
  }
  return worst
}

async function run(options: Options): Promise<boolean> {
  await using bench = await startBench(options)
  const { targets } = bench
  if (bench.nginxVersion === null && !options.without.includes('nginx')) progress('nginx is not installed: left out')
  if (!bench.pinned) progress('taskset is not at hand, or there is one core only: nothing is pinned, and figures waver')
  const chosen = scenarios.filter(({ name }) => options.only.includes(name))
  const rounds = new Map<string, Rounds>(
    targets.map(({ name }) => [name, Array.from({ length: options.rounds }, () => ({}))]),
  )

  let worst = 0
  for (const scenario of chosen) worst = Math.max(worst, await runScenario(scenario, bench, options, rounds))

  addLatencies(rounds)
  const memory = Object.fromEntries(
    targets.flatMap(({ name, pid }) => (pid === null ? [] : [[name, peakMegabytes(pid)]])),
  )
  const records = await bench.records()
  const machine = {
    node: process.version,
    nginx: bench.nginxVersion,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    pinned: bench.pinned,
  }
  if (options.json) {
    console.log(
      JSON.stringify({
        machine,
        options,
        medians: medians(rounds),
        rounds: Object.fromEntries(rounds),
        peakMegabytes: memory,
        records,
      }),
    )
  } else {
    console.log(
      `\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, nginx ${machine.nginx ?? '–'}; medians of ${options.rounds} rounds at most\n`,
    )
    console.log(table(rounds))
    console.log(
      `\npeak memory: ${Object.entries(memory)
        .map(([name, value]) => `${name} ${value.toFixed(0)} MB`)
        .join(', ')}`,
    )
    console.log(`records: ${records.stored} stored of ${records.sent} requests`)
  }
  if (worst > QUIET)
    progress(
      `the machine was not quiet: nginx waited for its core up to ${worst.toFixed(0)} % of the time that it ran; trust the ratios, and those with care`,
    )
  if (records.stored !== records.sent)
    progress(
      `records are ${records.stored < records.sent ? 'missing' : 'too many'}: ${records.sent} requests, ${records.stored} records`,
    )
  return records.stored === records.sent
}

async function main(): Promise<number> {
  let options: Options | 'help'
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    progress((error as Error).message)
    return 2
  }
  if (options === 'help') {
    console.log(HELP)
    return 0
  }
  try {
    return (await run(options)) ? 0 : 1
  } catch (error) {
    progress((error as Error).stack ?? String(error))
    return 1
  }
}

process.exitCode = await main()
