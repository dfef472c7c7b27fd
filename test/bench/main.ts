/** `npm run bench`: see options.ts for what it measures. */
import { cpus } from 'node:os'

import { peakMegabytes } from './cpu.ts'
import { ALIAS } from './messages.ts'
import { HELP, readOptions, type Options } from './options.ts'
import { addLatencies, medians, table, type Rounds } from './report.ts'
import { DISTURBANCE, measure, scenarios } from './scenarios.ts'
import { startBench, type Target } from './targets.ts'

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

async function run(options: Options): Promise<boolean> {
  await using bench = await startBench(options)
  const { targets, loader } = bench
  if (bench.nginxVersion === null && !options.without.includes('nginx')) progress('nginx is not installed: left out')
  if (!bench.pinned) progress('taskset is not at hand, or there is one core only: nothing is pinned, and figures waver')
  const chosen = scenarios.filter(({ name }) => options.only.includes(name))
  const rounds = new Map<string, Rounds>(
    targets.map(({ name }) => [name, Array.from({ length: options.rounds }, () => ({}))]),
  )

  let worst = 0
  for (const scenario of chosen) {
    progress(`${scenario.name}: warming up`)
    for (const target of targets) {
      await measure(scenario, target, loader, target.model === ALIAS ? WARM_UP_SECONDS.proxy : WARM_UP_SECONDS.other)
    }
    for (let round = 0; round < options.rounds; round++) {
      const line: string[] = []
      for (const target of turned(targets, round)) {
        const figures = await measure(scenario, target, loader, options.seconds)
        const list = rounds.get(target.name)!
        list[round] = { ...list[round], ...figures }
        worst = Math.max(worst, figures[DISTURBANCE] ?? 0)
        line.push(
          `${target.name} ${Object.entries(figures)
            .map(([name, value]) => `${name} ${value.toFixed(2)}`)
            .join(', ')}`,
        )
      }
      progress(`${scenario.name} ${round + 1}/${options.rounds}: ${line.join(' | ')}`)
    }
  }

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
      `\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, nginx ${machine.nginx ?? '–'}; medians of ${options.rounds} rounds\n`,
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
