/** Medians, ratios and the table. */
import { DISTURBANCE, type Figures } from './measurement.ts'

/** Figures of one target, round by round. */
export type Rounds = Figures[]

export type Medians = Readonly<Record<string, Readonly<Record<string, number>>>>

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Adds to each round's latencies what they are above the bare pass's of that round. */
export function addLatencies(rounds: ReadonlyMap<string, Rounds>): void {
  const bare = rounds.get('bare') ?? []
  for (const [name, list] of rounds) {
    if (name === 'bare') continue
    list.forEach((figures, round) => {
      for (const key of ['p50 ms', 'p99 ms']) {
        const [own, base] = [figures[key], bare[round]?.[key]]
        if (own !== undefined && base !== undefined) list[round] = { ...list[round], [`added ${key}`]: own - base }
      }
    })
  }
}

/** figure -> target -> median over the rounds. */
export function medians(rounds: ReadonlyMap<string, Rounds>): Medians {
  const names = new Set([...rounds.values()].flatMap((list) => list.flatMap((figures) => Object.keys(figures))))
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      Object.fromEntries(
        [...rounds].flatMap(([target, list]) => {
          const values = list.map((figures) => figures[name]).filter((value) => value !== undefined)
          return values.length > 0 ? [[target, median(values)]] : []
        }),
      ),
    ]),
  )
}

/** The median of the ratios of two targets in the same round: steadier than the ratio of their medians. */
export function pairedRatio(
  rounds: ReadonlyMap<string, Rounds>,
  figure: string,
  target: string,
  base: string,
): number | null {
  const ratios = (rounds.get(target) ?? []).flatMap((figures, round) => {
    const [own, other] = [figures[figure], rounds.get(base)?.[round]?.[figure]]
    return own !== undefined && other ? [own / other] : []
  })
  return ratios.length > 0 ? median(ratios) : null
}

function number(value: number | undefined): string {
  if (value === undefined) return '–'
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
}

/** The table that a person reads. */
export function table(rounds: ReadonlyMap<string, Rounds>): string {
  const targets = [...rounds.keys()]
  const proxies = targets.filter((target) => target === 'millrace' || target === 'against')
  const bases = ['nginx', 'against'].filter((base) => targets.includes(base))
  const pairs = proxies.flatMap((target) => bases.filter((base) => base !== target).map((base) => ({ target, base })))
  const all = medians(rounds)
  const rows = [['', ...targets, ...pairs.map(({ target, base }) => `${target} ÷ ${base}`)]]
  for (const [figure, values] of Object.entries(all)) {
    if (figure.endsWith('busy %') || figure === DISTURBANCE) continue
    const busy = all[figure.replace(/(requests|chunks)\/s$/, 'busy %')]
    rows.push([
      figure,
      ...targets.map((target) => {
        const bound = figure.endsWith('/s') && values[target] !== undefined && (busy?.[target] ?? 0) < 90
        return (bound ? '>' : '') + number(values[target])
      }),
      ...pairs.map(({ target, base }) => number(pairedRatio(rounds, figure, target, base) ?? undefined)),
    ])
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n')
}
