/** A proxy that is only heard of: it reports itself, and carries out what operators ask as the test says. */
import {
  CARRIED_OUT_MUTATION,
  INSTRUCTIONS_SUBSCRIPTION,
  newId,
  type CarriedOut,
  type Instruction,
} from '@millrace/shared'

import type { ControlProcess } from '../helpers/control.ts'
import type { Subscription } from '../helpers/graphql.ts'
import { ReportedProxy } from './reports.ts'

export class Carrier implements AsyncDisposable {
  /** What it was told to do, in the order in which it was told. */
  readonly instructions: Instruction[] = []
  readonly #control: ControlProcess
  readonly #key: string
  readonly #proxy: ReportedProxy
  readonly #events: Subscription<{ instructions: Instruction }>
  readonly #listening: Promise<void>

  constructor(
    control: ControlProcess,
    carryOut: (instruction: Instruction, carrier: Carrier) => Promise<unknown> | undefined,
    key = control.proxyKey,
  ) {
    this.#control = control
    this.#key = key
    this.#proxy = new ReportedProxy(control, key)
    this.#events = control.subscribe(INSTRUCTIONS_SUBSCRIPTION, {}, key)
    this.#listening = this.#listen(carryOut)
    // Seen at the end.
    this.#listening.catch(() => undefined)
  }

  /** Is online from now on, and told what comes. */
  async begin(): Promise<void> {
    await this.#events.connected
    await this.#proxy.report({})
  }

  /** Tells that a process of it has carried something out. @returns whether control knows of it */
  async tell(instruction: string, done: Partial<CarriedOut> = {}): Promise<boolean> {
    const told = { instruction, proxy: this.#proxy.id, process: newId(), processes: 1, count: 0, ...done }
    return (await this.#control.gql<{ carriedOut: boolean }>(CARRIED_OUT_MUTATION, told, this.#key)).carriedOut
  }

  async #listen(carryOut: (instruction: Instruction, carrier: Carrier) => Promise<unknown> | undefined): Promise<void> {
    for await (const { instructions: instruction } of this.#events) {
      this.instructions.push(instruction)
      await carryOut(instruction, this)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events.return!()
    await this.#listening
    await this.#proxy[Symbol.asyncDispose]()
  }
}
