/** What is asked of every process of every proxy, now, whichever control process each is connected to. */
import {
  MAX_IN_FLIGHT,
  newId,
  parseInFlight,
  parseProviderTestOutcome,
  wholeNumber,
  type InFlight,
  type ProviderTestOutcome,
  type Question,
  type QuestionAnswer,
} from '@millrace/shared'
import type { Logger } from 'pino'
import * as z from 'zod'

import type { Database, Em } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { Bus } from '../feed/bus.ts'
import type { Mailbox } from '../feed/mailbox.ts'
import { idText, readInput } from '../graphql/input.ts'
import { Asking, type Answer } from './asking.ts'
import {
  ANSWER_CHANNEL,
  forgetQuestions,
  QUESTION_CHANNEL,
  questionsOfOthers,
  takeAnswers,
  writeAnswer,
  writeQuestion,
} from './question.store.ts'

/** Of what a notification was missed for. */
const POLL_MS = 250
/** Many processes answer at the same time. */
const REST_MS = 5
/** A proxy that does not answer keeps those who look no longer. */
const USUAL_WAIT_MS = 1_000
/** Questions that may wait for one proxy. */
const CAPACITY = 1_000
/** Questions of others that are remembered as told. */
const MOST_TOLD = 10_000
const MOST_PROCESSES = 1_000

const processesOfProxy = wholeNumber(1, MOST_PROCESSES)
const listOfInFlight = z.array(z.unknown()).max(MAX_IN_FLIGHT, `must be at most ${MAX_IN_FLIGHT}`)

export interface AskOptions {
  /** Whether with this answer, nobody else need be waited for. Absent: all are. */
  readonly isEnough?: (answer: Answer) => boolean
  /** The proxies that have to answer; absent: all that are online. */
  readonly proxies?: readonly string[]
  /** How long is waited for answers, in milliseconds; absent: a second. */
  readonly waitMs?: number
  /** Runs the work that asks in a unit of work of its own making. Absent: in a new one. */
  readonly within?: <T>(work: (em: Em) => Promise<T>) => Promise<T>
}

export class Questions {
  readonly #database: Database
  readonly #log: Logger
  /** This control process. */
  readonly #asker = newId()
  readonly #bus = new Bus<Question>()
  /** By the question's id. */
  readonly #asking = new Map<string, Asking>()
  readonly #asked: Watch
  readonly #answered: Watch
  /** The questions of others that proxies here were told. */
  readonly #told = new Set<string>()
  /** Whether the last answers were not all: said once, not each time. */
  #silence = false

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
    const asked = { channel: QUESTION_CHANNEL, what: 'questions to proxies', pollMs: POLL_MS, restMs: 0 }
    const answered = { channel: ANSWER_CHANNEL, what: "proxies' answers", pollMs: POLL_MS, restMs: REST_MS }
    this.#asked = new Watch(database, () => this.#tellOthers(), asked, log)
    this.#answered = new Watch(database, () => this.#takeAnswers(), answered, log)
  }

  async start(): Promise<void> {
    await this.#asked.start()
    await this.#answered.start()
  }

  async close(): Promise<void> {
    await this.#asked.close()
    await this.#answered.close()
  }

  /** What is asked from now on. */
  subscribe(): Mailbox<Question> {
    return this.#bus.subscribe(CAPACITY)
  }

  /** Resolves when every proxy has answered with all its processes, or one has said enough, or the time is over. */
  async ask(asked: Omit<Question, 'id'>, options: AskOptions = {}): Promise<Answer[]> {
    const { isEnough = () => false, proxies, waitMs = USUAL_WAIT_MS } = options
    const within = options.within ?? ((work) => work(this.#database.em()))
    const question = { id: newId(), ...asked }
    const asking = new Asking(isEnough)
    this.#asking.set(question.id, asking)
    try {
      // Written before it is told: who answers may be connected to another control process.
      const online = await within((em) => writeQuestion(em, this.#asker, question))
      this.#bus.publish(question)
      asking.waitFor(proxies ?? online)
      const limit = setTimeout(asking.end, waitMs)
      await asking.over
      clearTimeout(limit)
      this.#noteSilence(asking)
      return asking.answers
    } finally {
      this.#asking.delete(question.id)
    }
  }

  /**
   * Takes what a process of a proxy answers.
   * @returns whether anybody waits for it
   * @throws GraphQLError BAD_USER_INPUT
   */
  async answer(given: QuestionAnswer): Promise<boolean> {
    const answer = {
      question: readInput(idText, given.question, 'question'),
      proxy: readInput(idText, given.proxy, 'proxy'),
      process: readInput(idText, given.process, 'process'),
      processes: readInput(processesOfProxy, given.processes, 'processes'),
      cancelled: given.cancelled,
      inFlight: this.#parse(readInput(listOfInFlight, given.inFlight, 'inFlight')),
      test: this.#parseTest(given.test),
    }
    const asking = this.#asking.get(answer.question)
    if (asking === undefined) return writeAnswer(this.#database, this.#asker, answer)
    asking.take(answer)
    return true
  }

  /** Deletes what is not needed any longer. */
  tidy(): Promise<void> {
    return forgetQuestions(this.#database)
  }

  async #tellOthers(): Promise<void> {
    if (this.#bus.size === 0) return
    for (const question of await questionsOfOthers(this.#database, this.#asker)) {
      if (this.#told.has(question.id)) continue
      this.#told.add(question.id)
      if (this.#told.size > MOST_TOLD) this.#told.delete(this.#told.values().next().value!)
      this.#bus.publish(question)
    }
  }

  async #takeAnswers(): Promise<void> {
    if (this.#asking.size === 0) return
    for (const { question, inFlight, test, ...answer } of await takeAnswers(this.#database, [...this.#asking.keys()]))
      this.#asking.get(question)?.take({ ...answer, inFlight: this.#parse(inFlight), test: this.#parseTest(test) })
  }

  /** One that is malformed is left out. */
  #parse(values: readonly unknown[]): InFlight[] {
    const parsed: InFlight[] = []
    for (const value of values) {
      try {
        parsed.push(parseInFlight(value))
      } catch (error) {
        this.#log.warn({ reason: (error as Error).message }, 'refused a request in flight')
      }
    }
    return parsed
  }

  /** Null: nothing was tried, or what is told of it is malformed. */
  #parseTest(value: unknown): ProviderTestOutcome | null {
    if (value == null) return null
    try {
      return parseProviderTestOutcome(value)
    } catch (error) {
      this.#log.warn({ reason: (error as Error).message }, "refused the outcome of a provider's test")
      return null
    }
  }

  #noteSilence({ hasEnough, silent }: Asking): void {
    const isSilence = !hasEnough && silent.length > 0
    if (isSilence && !this.#silence) this.#log.warn({ proxies: silent }, 'proxies did not answer in time')
    this.#silence = isSilence
  }
}
