/**
 * The journal's lines, each a JSON array whose first member says what it is. Read in their order they lead to what is spent,
 * what is held, and whose records may not be stored yet.
 */
import type { LostClaim } from './lost.ts'
import type { ClaimedRequest, SpentSum, Used } from './store.ts'
import { spentOf, windowEndOf, type Reservation } from './sums.ts'

/** What a claim holds of one sum. */
export type HeldAmount = readonly [subjectId: string, window: string, amount: string]

type Line =
  | ['sum', subjectId: string, window: string, spent: string]
  | ['claim', id: string, at: number, cost: string, held: readonly HeldAmount[], about: ClaimedRequest]
  | ['settled', id: string, spent: readonly string[]]
  | ['lost', id: string]
  | ['recorded', id: string]

/** Is so much, whatever it was before. */
export function sumLine({ subjectId, window, spent }: SpentSum): string {
  return line(['sum', subjectId, window, String(spent)])
}

/** From here on it holds what it reserves. */
export function claimLine({ id, at, cost, about }: LostClaim, held: readonly HeldAmount[]): string {
  return line(['claim', id, at, String(cost), held, about])
}

export function heldAmounts(reservations: readonly Reservation[]): readonly HeldAmount[] {
  return reservations.map(({ subject, window, amount }) => [subject.id, window, String(amount)])
}

export function settledLine(id: string, reservations: readonly Reservation[], used: Used): string {
  return line(['settled', id, reservations.map(({ limit }) => String(spentOf(limit, used)))])
}

/** What it holds counts in full, and it wants a record. */
export function lostLine(id: string): string {
  return line(['lost', id])
}

/** Its record is stored. */
export function recordedLine(id: string): string {
  return line(['recorded', id])
}

function line(members: Line): string {
  return `${JSON.stringify(members)}\n`
}

export interface Open {
  readonly claim: LostClaim
  readonly held: readonly HeldAmount[]
}

/** What a journal leads to. */
export class Replayed {
  readonly #spent = new Map<string, Map<string, bigint>>()
  readonly open = new Map<string, Open>()
  readonly lost = new Map<string, LostClaim>()
  /** Lines that could not be read: torn, as a rule, where a disk was full or the machine went. */
  unreadable = 0

  constructor(text: string) {
    for (const each of text.split('\n')) {
      if (each === '') continue
      try {
        this.#read(JSON.parse(each) as Line)
      } catch {
        this.unreadable++
      }
    }
  }

  /** @param alive what ended before it, in milliseconds since the epoch, is left out */
  *sums(alive: number): Generator<SpentSum> {
    for (const [subjectId, windows] of this.#spent)
      for (const [window, spent] of windows) if (windowEndOf(window) > alive) yield { subjectId, window, spent }
  }

  #read(members: Line): void {
    switch (members[0]) {
      case 'sum':
        this.#windows(members[1]).set(members[2], BigInt(members[3]))
        break
      case 'claim': {
        const [, id, at, cost, held, about] = members
        this.open.set(id, { claim: { id, at, cost: BigInt(cost), about }, held })
        break
      }
      case 'settled':
        this.#end(members[1], members[2])
        break
      case 'lost': {
        const open = this.open.get(members[1])
        if (open === undefined) break
        this.#end(
          members[1],
          open.held.map(([, , amount]) => amount),
        )
        this.lost.set(members[1], open.claim)
        break
      }
      case 'recorded':
        this.lost.delete(members[1])
    }
  }

  #end(id: string, spent: readonly string[]): void {
    const open = this.open.get(id)
    if (open === undefined) return
    this.open.delete(id)
    open.held.forEach(([subjectId, window], i) => {
      const windows = this.#windows(subjectId)
      windows.set(window, (windows.get(window) ?? 0n) + BigInt(spent[i]!))
    })
  }

  #windows(subjectId: string): Map<string, bigint> {
    const windows = this.#spent.get(subjectId) ?? new Map<string, bigint>()
    this.#spent.set(subjectId, windows)
    return windows
  }
}
