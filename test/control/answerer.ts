/** A proxy that is only heard of: it reports itself, and answers questions as the test says. */
import {
  ANSWER_QUESTION_MUTATION,
  newId,
  QUESTIONS_SUBSCRIPTION,
  type InFlight,
  type Question,
  type QuestionAnswer,
} from '@millrace/shared'

import type { ControlProcess } from '../helpers/control.ts'
import type { Subscription } from '../helpers/graphql.ts'
import { ReportedProxy } from './reports.ts'

type Answer = Partial<QuestionAnswer> | undefined

/** A stream that has begun. */
export function inFlight(more: Partial<InFlight> = {}): InFlight {
  const id = newId()
  return {
    id,
    requestId: id,
    startedAt: new Date().toISOString(),
    projectId: null,
    tokenId: null,
    endpoint: '/v1/chat/completions',
    model: 'model',
    aliasId: null,
    providerId: null,
    providerModel: 'provider-model',
    stream: true,
    userKey: null,
    timeToFirstTokenMs: 12.5,
    outputTokens: 3,
    costUsd: '0.00012',
    proxyId: newId(),
    ...more,
  }
}

export class Answerer implements AsyncDisposable {
  /** What it was asked, in its order. */
  readonly questions: Question[] = []
  readonly #control: ControlProcess
  readonly #key: string
  readonly #proxy: ReportedProxy
  readonly #events: Subscription<{ questions: Question }>
  readonly #listening: Promise<void>

  /** @param answer what it answers; undefined: nothing */
  constructor(
    control: ControlProcess,
    answer: (question: Question) => Answer | Promise<Answer>,
    key = control.proxyKey,
  ) {
    this.#control = control
    this.#key = key
    this.#proxy = new ReportedProxy(control, key)
    this.#events = control.subscribe(QUESTIONS_SUBSCRIPTION, {}, key)
    this.#listening = this.#listen(answer)
    // Seen at the end.
    this.#listening.catch(() => undefined)
  }

  get id(): string {
    return this.#proxy.id
  }

  /** Is online from now on, and asked what comes. */
  async begin(): Promise<void> {
    await this.#events.connected
    await this.#proxy.report({})
  }

  /** Answers as one process of it. @param by the control process that it tells */
  async tell(question: string, answer: Partial<QuestionAnswer> = {}, by = this.#control): Promise<boolean> {
    const told = { question, proxy: this.id, process: this.id, processes: 1, cancelled: false, inFlight: [], ...answer }
    return (await by.gql<{ answerQuestion: boolean }>(ANSWER_QUESTION_MUTATION, told, this.#key)).answerQuestion
  }

  async #listen(answer: (question: Question) => Answer | Promise<Answer>): Promise<void> {
    for await (const { questions: question } of this.#events) {
      this.questions.push(question)
      void Promise.resolve(answer(question)).then((given) => given && this.tell(question.id, given))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events.return!()
    await this.#listening
    await this.#proxy[Symbol.asyncDispose]()
  }
}

/** Answers of a proxy that serves these requests: one that is cancelled is gone. */
export function serving(requests: InFlight[]): (question: Question) => Answer {
  return ({ request, projects, cancel }) => {
    const meant = requests.filter(
      ({ id, projectId }) => (request ?? id) === id && (projects === null || projects.includes(String(projectId))),
    )
    if (!cancel) return { inFlight: meant }
    for (const one of meant) requests.splice(requests.indexOf(one), 1)
    return { cancelled: meant.length > 0 }
  }
}
