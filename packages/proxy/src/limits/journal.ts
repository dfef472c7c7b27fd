/**
 * What must outlive this process of the limits that are counted in it. What a claim holds is written before its request is
 * sent on, and what became of it before its record is. Nothing is synced: it outlives the process, not the machine.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

import type { Logger } from 'pino'

import { JournalFile } from './journal-file.ts'
import { claimLine, heldAmounts, lostLine, recordedLine, Replayed, settledLine, sumLine } from './journal-lines.ts'
import { isOrphan, newJournalName } from './journal-owner.ts'
import type { LostClaim, LostRecorder } from './lost.ts'
import type { MemoryLimits } from './memory.ts'
import type { Claim, SpentSum, Used } from './store.ts'
import type { Reservation } from './sums.ts'

const TOUCH_MS = 1_000
/** Touches between two looks for what other processes left. */
const ADOPT_EVERY = 5
/** Windows that ended longer ago are of no use any more. */
const AFTERWARDS_MS = 3_600_000
/** It is written anew when it is larger than this, and than four times what it needs. */
const WORTH_REWRITING = 16_777_216
/** Sums written at a time, when it is written anew: some 200 µs. */
const SUMS_A_STEP = 500
const FINISHED = '.journal'
const UNFINISHED = '.new'

export class Journal {
  /** Times that nothing could be written. */
  failures = 0
  readonly #folder: string
  readonly #log: Logger
  readonly #record: LostRecorder
  #memory: MemoryLimits | null = null
  /** Where the file is, or was while it could be written: what takes its place comes there, or it would be read, too. */
  #path: string
  /** Null while nothing can be written. */
  #file: JournalFile | null = null
  /** What is to take the file's place. */
  #next: JournalFile | null = null
  #needed = 0
  /** Lost claims whose record is not known to be stored. */
  readonly #lost = new Map<string, LostClaim>()
  #pending = ''
  #immediate: NodeJS.Immediate | null = null
  #timer: NodeJS.Timeout | null = null
  #touches = 0

  constructor(folder: string, log: Logger, record: LostRecorder) {
    this.#folder = folder
    this.#path = join(folder, newJournalName())
    this.#log = log
    this.#record = record
  }

  /** Takes up what dead processes left here, and begins to write. */
  start(memory: MemoryLimits): void {
    this.#memory = memory
    this.#begin()
    this.#adopt()
    this.#timer = setInterval(() => this.#touch(), TOUCH_MS).unref()
  }

  /** What stands in it is taken up by the next start. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#flush()
    this.#next?.discard()
    this.#file?.close()
    this.#next = this.#file = null
  }

  /** Written when this returns. */
  claimed(claim: Claim, reservations: readonly Reservation[]): void {
    this.#pending += claimLine(claim, heldAmounts(reservations))
    this.#flush()
  }

  /** Written before anything else happens in this process. */
  settled(id: string, reservations: readonly Reservation[], used: Used): void {
    this.#later(settledLine(id, reservations, used))
  }

  sums(sums: readonly SpentSum[]): void {
    for (const sum of sums) this.#later(sumLine(sum))
  }

  /** Nobody is left to settle it: it counts in full, and is recorded. */
  lost(claim: LostClaim): void {
    this.#pending += lostLine(claim.id)
    this.#lost.set(claim.id, claim)
    this.#flush()
    void this.#see([claim])
  }

  #later(line: string): void {
    this.#pending += line
    this.#immediate ??= setImmediate(() => this.#flush())
  }

  #flush(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    this.#immediate = null
    const text = this.#pending
    this.#pending = ''
    if (text === '') return
    this.#try(() => this.#file?.append(text))
    try {
      this.#next?.append(text)
    } catch {
      this.#next?.discard()
      this.#next = null
    }
    const { size } = this.#file ?? { size: 0 }
    if (size > WORTH_REWRITING && size > 4 * this.#needed && this.#next === null) this.#rewrite()
  }

  /** What can't be written is not missed while this process lives; it is written anew as soon as that is possible. */
  #try(write: () => void): void {
    try {
      write()
    } catch (error) {
      this.failures++
      if (this.#file !== null)
        this.#log.error(
          `limits are not written to ${this.#folder} (${(error as Error).message}): what is spent now would be forgotten if this process ended`,
        )
      this.#file?.close()
      this.#file = null
    }
  }

  #begin(): void {
    try {
      this.#file = new JournalFile(this.#path)
    } catch (error) {
      this.failures++
      this.#log.error(`limits cannot be written to ${this.#folder} (${(error as Error).message})`)
    }
  }

  #touch(): void {
    this.#try(() => this.#file?.touch(new Date()))
    if (this.#file === null && this.#next === null) this.#rewrite()
    if (++this.#touches % ADOPT_EVERY === 0) this.#adopt()
    this.#memory!.sweep()
  }

  /** Writes what counts to a new file, a little at a time, and all that comes meanwhile to both. */
  #rewrite(): void {
    try {
      const next = new JournalFile(join(this.#folder, newJournalName().replace(FINISHED, UNFINISHED)))
      this.#next = next
      let text = ''
      for (const { claim, reservations, assumed } of this.#memory!.held())
        if (!assumed && reservations.length > 0) text += claimLine(claim, heldAmounts(reservations))
      for (const claim of this.#lost.values()) text += claimLine(claim, []) + lostLine(claim.id)
      next.append(text)
      this.#copy(next, this.#memory!.sums())
    } catch {
      this.failures++
      this.#next?.discard()
      this.#next = null
    }
  }

  #copy(next: JournalFile, sums: Iterator<SpentSum>): void {
    if (this.#next !== next) return
    let text = ''
    try {
      for (let i = 0; i < SUMS_A_STEP; i++) {
        const { value, done } = sums.next()
        if (done) {
          next.append(text)
          this.#replace(next)
          return
        }
        text += sumLine(value)
      }
      next.append(text)
      setImmediate(() => this.#copy(next, sums))
    } catch {
      this.failures++
      next.discard()
      this.#next = null
    }
  }

  #replace(next: JournalFile): void {
    if (this.#file === null) this.#log.info(`limits are written to ${this.#folder} again`)
    next.moveTo(this.#path)
    this.#file?.close()
    this.#file = next
    this.#next = null
    this.#needed = next.size
  }

  /** Takes up the journals of dead processes. Of several that try, one gets each. */
  #adopt(): void {
    for (const name of this.#orphans()) {
      const path = join(this.#folder, name)
      const mine = join(this.#folder, newJournalName())
      try {
        if (path.endsWith(UNFINISHED)) {
          rmSync(path)
          continue
        }
        renameSync(path, mine)
        this.#fold(readFileSync(mine, 'utf8'))
        rmSync(mine)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          this.#log.error(`${name} cannot be taken up: ${(error as Error).message}`)
      }
    }
  }

  #orphans(): string[] {
    try {
      const names = readdirSync(this.#folder).filter((name) => name.startsWith('limits-'))
      return names.filter((name) => isOrphan(name, statSync(join(this.#folder, name)).mtimeMs))
    } catch {
      return []
    }
  }

  #fold(text: string): void {
    const memory = this.#memory!
    const replayed = new Replayed(text)
    memory.raise([...replayed.sums(Date.now() - AFTERWARDS_MS)])
    const found: LostClaim[] = []
    for (const { claim, held } of replayed.open.values()) {
      if (this.#lost.has(claim.id)) continue
      this.#pending += claimLine(claim, held) + lostLine(claim.id)
      for (const [subjectId, window, amount] of held) memory.add(subjectId, window, BigInt(amount))
      found.push(claim)
    }
    for (const claim of replayed.lost.values()) {
      if (this.#lost.has(claim.id)) continue
      this.#pending += claimLine(claim, []) + lostLine(claim.id)
      found.push(claim)
    }
    for (const claim of found) this.#lost.set(claim.id, claim)
    this.#flush()
    if (found.length > 0) {
      this.#log.warn({ lost: found.length }, 'a proxy ended before its requests did: what they reserved counts in full')
      void this.#see(found)
    }
  }

  async #see(claims: readonly LostClaim[]): Promise<void> {
    await this.#record(claims)
    for (const { id } of claims) {
      this.#lost.delete(id)
      this.#later(recordedLine(id))
    }
  }
}
