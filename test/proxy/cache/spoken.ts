/** A provider's stream that goes on as a test says. */
import { writeFramed } from '../../helpers/upstream/answers.ts'
import { completionEvents, errorBody } from '../../helpers/upstream/completion.ts'
import type { Behaviour, Exchange } from '../../helpers/upstream/exchange.ts'

type Step = { readonly words: readonly string[] } | 'end' | 'cut' | 'fail'

export class Spoken {
  readonly #steps: Step[] = []
  #more = Promise.withResolvers<void>()

  /** Each request of it gets all that is said, from the beginning. Before the first word none gets more than a role. */
  readonly behaviour: Behaviour = async (exchange) => {
    const [role, ...ending] = completionEvents(exchange.seen.model ?? '', exchange.wantsUsage, [])
    exchange.head(200, { 'content-type': 'text/event-stream' })
    await writeFramed(exchange, [role!], { done: null })
    for (let at = 0; ; at++) {
      const step = await this.#step(at, exchange)
      if (step === null) return
      if (step === 'cut') return exchange.cut()
      if (step === 'fail')
        await writeFramed(exchange, [errorBody('the model fell over', 'server_error')], { done: null })
      if (step === 'end') await writeFramed(exchange, ending, {})
      if (step === 'end' || step === 'fail') return exchange.end()
      const events = completionEvents(exchange.seen.model ?? '', exchange.wantsUsage, step.words)
      await writeFramed(exchange, events.slice(1, 1 + step.words.length), { done: null })
    }
  }

  say(...words: readonly string[]): void {
    this.#add({ words })
  }

  /** Ends in good order. */
  end(): void {
    this.#add('end')
  }

  /** Closes the connection. */
  cut(): void {
    this.#add('cut')
  }

  /** Says an error, and ends. */
  fail(): void {
    this.#add('fail')
  }

  #add(step: Step): void {
    this.#steps.push(step)
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }

  /** Null: there is nobody left to say it to. */
  async #step(at: number, exchange: Exchange): Promise<Step | null> {
    while (at >= this.#steps.length && !exchange.signal.aborted)
      await Promise.race([this.#more.promise, exchange.untilOver()])
    return exchange.signal.aborted ? null : this.#steps[at]!
  }
}
