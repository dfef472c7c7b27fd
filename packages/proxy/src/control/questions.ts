import {
  ANSWER_QUESTION_MUTATION,
  newId,
  QUESTIONS_SUBSCRIPTION,
  type ProviderTest,
  type Question,
  type QuestionAnswer,
} from '@millrace/shared'
import type { Client } from 'graphql-ws'
import type { Logger } from 'pino'

import { described, meantBy } from '../live/longest.ts'
import type { Membership } from '../membership.ts'
import { cancel } from '../request/cancel.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Slots } from '../slots.ts'
import { inSlices } from '../snapshot/in-slices.ts'
import type { ControlClient } from './client.ts'
import type { Follows } from './follows.ts'
import type { ProviderTests } from './provider-tests.ts'

/** Nobody waits for longer. */
const TELL_MS = 1_000
/** A connection that control has just closed costs no answer. */
const TRIES = 2

export interface QuestionsOptions {
  /** The requests that are being served. */
  readonly active: Slots<Exchange>
  readonly tests: ProviderTests
  readonly control: Pick<ControlClient, 'send'>
  readonly membership: Pick<Membership, 'identity' | 'workers'>
  readonly log: Logger
}

/** Answers what operators ask of every process of every proxy, and ends the requests that they want ended. */
export class Questions implements Follows {
  private readonly options: QuestionsOptions
  /** As control knows this process. */
  private readonly process = newId()

  constructor(options: QuestionsOptions) {
    this.options = options
  }

  follow(client: Client): void {
    client.subscribe<{ questions: Question }>(
      { query: QUESTIONS_SUBSCRIPTION },
      {
        next: ({ data }) => {
          if (data?.questions) void this.take(data.questions)
        },
        error: () => this.options.log.debug('the subscription to questions has ended'),
        complete: () => {},
      },
    )
  }

  /** Never rejects: whoever asks goes on without an answer. */
  private async take(question: Question): Promise<void> {
    const { log } = this.options
    const { id, test } = question
    // Of several processes one tries a provider, and the others have nothing to say.
    if (test !== null && test.process !== this.process) return
    try {
      const tried = test === null ? null : await this.tryProvider(id, test)
      const until = performance.now() + TELL_MS
      const answer = tried ?? (await this.answer(question))
      for (let tries = TRIES; tries > 0 && !(await this.tell(answer, until));) tries--
    } catch (error) {
      log.error({ err: error }, 'a question could not be answered')
    }
  }

  /** @returns an operation, as JSON */
  private async answer({ id, request, projects, cancel: ends }: Question): Promise<string> {
    const meant = meantBy({ request, projects }, this.options.active)
    let cancelled = false
    if (ends) for (const exchange of request === null ? [] : meant) cancelled = this.end(exchange) || cancelled
    const inFlight = ends ? [] : await inSlices(described(meant))
    const head = JSON.stringify(this.headOf(id, cancelled))
    return answerWith(`${head.slice(0, -1)},"inFlight":[${inFlight.join(',')}]}`)
  }

  /** @returns an operation, as JSON */
  private async tryProvider(id: string, given: ProviderTest): Promise<string> {
    const test = await this.options.tests.run(given)
    return answerWith(JSON.stringify({ ...this.headOf(id, false), inFlight: [], test }))
  }

  private headOf(question: string, cancelled: boolean): Omit<QuestionAnswer, 'inFlight'> {
    const { identity, workers } = this.options.membership
    return { question, proxy: identity.id, process: this.process, processes: workers, cancelled }
  }

  private end(exchange: Exchange): boolean {
    const ended = cancel(exchange)
    if (ended) this.options.log.info({ requestId: exchange.requestId }, 'a request is cancelled by an operator')
    return ended
  }

  private async tell(operation: string, until: number): Promise<boolean> {
    const restMs = Math.floor(until - performance.now())
    if (restMs <= 0) return true
    try {
      await this.options.control.send(operation, AbortSignal.timeout(restMs))
      return true
    } catch (error) {
      this.options.log.debug(`control got no answer to a question: ${(error as Error).message}`)
      return false
    }
  }
}

/** @param variables as JSON */
function answerWith(variables: string): string {
  return `{"query":${JSON.stringify(ANSWER_QUESTION_MUTATION)},"variables":${variables}}`
}
