/** What an operator learns of a proxy's requests while they are served, and does to them. */
import assert from 'node:assert/strict'

import { parseInFlight, type InFlight, type Question, type QuestionAnswer, type RequestRecord } from '@millrace/shared'

import type { FakeControl } from '../../helpers/fake-control.ts'
import { begin, type OpenAnswer } from '../../helpers/http.ts'
import { uniqueName } from '../../helpers/names.ts'
import { waitFor } from '../../helpers/wait.ts'
import type { Guarded } from '../access/guarded.ts'

/** Ten times the contract's 100 ms for an upstream to be let go, and 250 ms for a client to be told. */
export const LET_GO_MS = 1_000
export const TOLD_MS = 2_500

/** A request of which no answer is waited for. */
export interface Begun {
  readonly requestId: string
  readonly request: ReturnType<typeof begin>['request']
  readonly answer: Promise<OpenAnswer>
}

/** USD per million tokens. */
const PRICES = { inputPrice: 2, outputPrice: 10 }

/** What each of the proxy's processes answers; of one, unless there are more. */
export function answerTo(control: FakeControl, question: Partial<Question>): Promise<QuestionAnswer> {
  const id = control.ask(question)
  return waitFor(() => control.answers.find((answer) => answer.question === id), { what: 'an answer to a question' })
}

export class Operator {
  readonly #guarded: Guarded

  constructor(guarded: Guarded) {
    this.#guarded = guarded
  }

  /** Gives every route a price. */
  price(): void {
    this.#guarded.change(({ aliases }) => ({
      aliases: aliases.map((alias) => ({ ...alias, routes: alias.routes.map((route) => ({ ...route, ...PRICES })) })),
    }))
  }

  /** Begins a chat completion of which the body is sent, unless it is null: then nothing is. */
  begin(body: object | null = {}, headers: Readonly<Record<string, string>> = {}): Begun {
    const requestId = uniqueName('live')
    const { chatUrl } = this.#guarded
    const all = this.#guarded.headers({ 'x-request-id': requestId, ...headers })
    const { request, answer } = begin(chatUrl, { headers: all })
    if (body !== null) request.end(JSON.stringify(this.#guarded.body(body)))
    return { requestId, request, answer }
  }

  /** What is being served. */
  async list(question: Partial<Question> = {}): Promise<InFlight[]> {
    return (await answerTo(this.#guarded.control, question)).inFlight.map(parseInFlight)
  }

  /** A request as it stands, once it is so. */
  seen({ requestId }: Pick<Begun, 'requestId'>, isSo: (one: InFlight) => boolean = () => true): Promise<InFlight> {
    const find = async (): Promise<InFlight | undefined> =>
      (await this.list()).find((one) => one.requestId === requestId && isSo(one))
    return waitFor(find, { what: `${requestId} to be in flight` })
  }

  async cancel(request: string): Promise<boolean> {
    return (await answerTo(this.#guarded.control, { request, cancel: true })).cancelled
  }

  /** Cancels one that is in flight, and asserts that its record says so. */
  async cancelled(begun: Pick<Begun, 'requestId'>): Promise<RequestRecord> {
    const { id } = await this.seen(begun)
    assert.equal(await this.cancel(id), true)
    return this.record(begun)
  }

  /** The record of one that was cancelled. */
  async record({ requestId }: Pick<Begun, 'requestId'>): Promise<RequestRecord> {
    const record = await this.#guarded.record({ headers: { 'x-request-id': requestId } })
    assert.deepEqual(
      [record.status, record.httpStatus, record.errorClass],
      ['CANCELLED', 499, 'admin_cancelled'],
      JSON.stringify(record),
    )
    assert.ok(
      (await this.list()).every((one) => one.requestId !== requestId),
      'it is not in flight any more',
    )
    return record
  }
}
