import {
  CARRIED_OUT_MUTATION,
  INSTRUCTIONS_SUBSCRIPTION,
  MAX_INSTRUCTIONS,
  newId,
  type CarriedOut,
  type Instruction,
  type PurgeScope,
} from '@millrace/shared'
import type { Client } from 'graphql-ws'
import type { Logger } from 'pino'

import type { Membership } from '../membership.ts'
import type { StickyBindings } from '../sticky/bindings.ts'
import type { ControlClient } from './client.ts'
import { Errands } from './errands.ts'
import type { Follows } from './follows.ts'

const CLEAR_RETRY_MS = 5_000
/** Sooner: what is to be forgotten is still given to clients. */
const PURGE_RETRY_MS = 1_000
/** One that takes long, since it deletes many, holds up the others no sooner than so many do. */
const PURGES_AT_ONCE = 32
/** Somebody waits for it, for two seconds. */
const TELL_RETRY_MS = 500
/** Nobody waits any more for what was given longer ago. */
const TELL_WITHIN_MS = 60_000
/** As large as GraphQL's Int can be. */
const LARGEST = 2_147_483_647
const EVERYTHING: PurgeScope = { projectId: null, model: null }

/** Stored answers, in whatever tiers. */
export interface Purgeable {
  /**
   * Forgets those that there are now. Called again for the same instruction if it has failed.
   * @returns how many are gone by it
   * @throws Error if it is not certain that all are
   */
  purge(scope: PurgeScope, instructionId: string): Promise<number>
}

export interface InstructionsOptions {
  readonly sticky: Pick<StickyBindings, 'clear'>
  readonly cache: Purgeable
  readonly control: Pick<ControlClient, 'execute'>
  readonly membership: Pick<Membership, 'identity' | 'workers'>
  readonly log: Logger
}

/** By `performance.now()`. */
interface Given {
  readonly givenAt: number
}

/** Bindings to be forgotten. */
interface Clear extends Given {
  readonly aliasId: string
  readonly key: string | null
}

/** Answers to be forgotten. */
interface Purge extends Given {
  readonly id: string
  readonly scope: PurgeScope
}

/** What control is to be told. */
interface Told extends Given {
  readonly done: CarriedOut
}

/**
 * Carries out what operators ask of every proxy. Those of the last hour come again after a reconnect, and at first those of
 * before this process: Redis may not have been told of them.
 */
export class Instructions implements Follows {
  private readonly options: InstructionsOptions
  /** As control knows this process. */
  private readonly process = newId()
  /** By their ids: those that need not be carried out again. To do so would do no harm. */
  private readonly known = new Set<string>()
  /** By what is cleared: a later instruction does what an earlier one would have. */
  private readonly clears = new Errands<Clear>({
    carryOut: (clear) => this.clear(clear),
    atOnce: 1,
    retryMs: CLEAR_RETRY_MS,
  })
  /** By what is purged, likewise. */
  private readonly purges = new Errands<Purge>({
    carryOut: (purge) => this.purge(purge),
    atOnce: PURGES_AT_ONCE,
    retryMs: PURGE_RETRY_MS,
  })
  /** By the instruction. */
  private readonly told = new Errands<Told>({
    carryOut: (told) => this.tell(told),
    atOnce: 1,
    retryMs: TELL_RETRY_MS,
  })
  private clearsFail = false
  private purgesFail = false

  constructor(options: InstructionsOptions) {
    this.options = options
  }

  /** Follows a connection to the control plane until it ends. */
  follow(client: Client): void {
    client.subscribe<{ instructions: Instruction }>(
      { query: INSTRUCTIONS_SUBSCRIPTION },
      {
        next: ({ data }) => {
          if (data?.instructions) this.take(data.instructions)
        },
        error: () => this.options.log.debug('the subscription to instructions has ended'),
        complete: () => {},
      },
    )
  }

  private take({ id, ageMs, clearStickyBindings, purgeCache }: Instruction): void {
    if (this.known.has(id)) return
    this.known.add(id)
    if (this.known.size > MAX_INSTRUCTIONS) this.known.delete(this.known.values().next().value!)
    const givenAt = performance.now() - ageMs
    if (clearStickyBindings !== null) {
      const { aliasId, key } = clearStickyBindings
      this.clears.give(JSON.stringify([aliasId, key]), { aliasId, key, givenAt })
    }
    if (purgeCache !== null) this.takePurge(id, purgeCache, givenAt)
  }

  /** More than can be remembered become one, of everything. */
  private takePurge(id: string, given: PurgeScope, givenAt: number): void {
    const tooMany = this.purges.size >= MAX_INSTRUCTIONS
    if (tooMany) this.purges.forget()
    const { projectId, model } = tooMany ? EVERYTHING : given
    this.purges.give(JSON.stringify([projectId, model]), { id, scope: { projectId, model }, givenAt })
  }

  private async clear({ aliasId, key, givenAt }: Clear): Promise<boolean> {
    const { sticky, log } = this.options
    try {
      const cleared = await sticky.clear(aliasId, key, performance.now() - givenAt)
      if (cleared > 0) log.info({ alias: aliasId, key, cleared }, 'sticky bindings are cleared')
      this.clearsFail = false
      return true
    } catch (error) {
      if (!this.clearsFail)
        log.warn(`sticky bindings are cleared in this process only, for now: ${(error as Error).message}`)
      this.clearsFail = true
      return false
    }
  }

  private async purge({ id, scope, givenAt }: Purge): Promise<boolean> {
    const { cache, log } = this.options
    try {
      const purged = await cache.purge(scope, id)
      if (purged > 0) log.info({ project: scope.projectId, model: scope.model, purged }, 'stored answers are purged')
      this.purgesFail = false
      this.told.give(id, { givenAt, done: this.carriedOut(id, purged) })
      return true
    } catch (error) {
      if (!this.purgesFail)
        log.warn(`stored answers are purged in this process only, for now: ${(error as Error).message}`)
      this.purgesFail = true
      return false
    }
  }

  private carriedOut(instruction: string, count: number): CarriedOut {
    const { identity, workers } = this.options.membership
    const { process } = this
    return { instruction, proxy: identity.id, process, processes: workers, count: Math.min(count, LARGEST) }
  }

  private async tell({ givenAt, done }: Told): Promise<boolean> {
    if (performance.now() - givenAt > TELL_WITHIN_MS) return true
    try {
      await this.options.control.execute(CARRIED_OUT_MUTATION, done)
      return true
    } catch (error) {
      this.options.log.debug(`control was not told what is carried out: ${(error as Error).message}`)
      return false
    }
  }
}
