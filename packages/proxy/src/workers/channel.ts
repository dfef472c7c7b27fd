/**
 * Talk over IPC, the same on both sides: questions that are answered, and news. What is said in one turn of the event loop goes
 * as one message, for a message costs as much as ten things said; while one is on its way, what follows waits.
 */
import type { Serializable } from 'node:child_process'

import type { Deadlines, Timed } from '../upstream/deadlines.ts'

/** Things that may wait to be said. Questions and what is optional are refused beyond it; the rest is bounded by what it is about. */
const MOST_WAITING = 10_000

const ASK = 0
const ANSWER = 1
const FAILED = 2
const TELL = 3

type Said =
  | readonly [typeof ASK, id: number, name: string, given: unknown]
  | readonly [typeof ANSWER, id: number, answer: unknown]
  | readonly [typeof FAILED, id: number, reason: string]
  | readonly [typeof TELL, name: string, news: unknown]

/** A question was not answered, or not in time. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  /** Whether it was put: then nobody knows what became of it. */
  readonly put: boolean

  constructor(message: string, put: boolean) {
    super(message)
    this.put = put
  }
}

/** By name: what is given with a question, and what is answered. */
type Questions<Q> = { readonly [K in keyof Q]: readonly [given: unknown, answer: unknown] }

/** This side's part: how questions are answered, and what is done with news. */
export interface Listener<Q extends Questions<Q>, N> {
  readonly answers: { readonly [K in keyof Q]: (given: Q[K][0]) => Q[K][1] | Promise<Q[K][1]> }
  readonly hears: { readonly [K in keyof N]: (news: N[K]) => void }
}

/** As messages reach it. */
interface Untyped {
  readonly answers: Readonly<Record<string, (given: unknown) => unknown>>
  readonly hears: Readonly<Record<string, (news: unknown) => void>>
}

/** Either end of an IPC connection, as Node gives it. */
export interface Ipc {
  send?(message: Serializable, handle: undefined, options: undefined, sent: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  readonly connected: boolean
}

/** Q and N: what the other side answers and hears. */
export class Channel<Q extends Questions<Q>, N> {
  private readonly ipc: Ipc
  private readonly deadlines: Deadlines
  private readonly listener: Untyped
  private waiting: Said[] = []
  private sending = false
  private scheduled = false
  private idle: PromiseWithResolvers<void> | null = null
  /** By their ids. A place is used again once its question was answered, however late. */
  private readonly asked: (Question | null)[] = []
  private readonly free: number[] = []
  /** Questions whose time was over before they were answered: until they are, no others are asked. */
  private overdue = 0
  private closed = false

  /** @param listener a {@link Listener}; what it does with news must not throw */
  constructor(ipc: Ipc, deadlines: Deadlines, listener: object) {
    this.ipc = ipc
    this.deadlines = deadlines
    this.listener = listener as Untyped
    ipc.on('message', (message) => {
      if (Array.isArray(message)) for (const said of message as Said[]) this.take(said)
    })
  }

  /**
   * Asks the other side.
   * @throws ChannelError if it is gone, or slow; Error with its reason if it has failed
   */
  ask<K extends keyof Q & string>(name: K, given: Q[K][0], withinMs: number): Promise<Q[K][1]> {
    if (this.closed || this.overdue > 0 || this.congested) {
      return Promise.reject(
        new ChannelError(this.closed ? 'the other process is gone' : 'the other process is slow', false),
      )
    }
    const id = this.free.pop() ?? this.asked.length
    const question = new Question(this, performance.now() + withinMs)
    this.asked[id] = question
    this.deadlines.add(question)
    this.say([ASK, id, name, given])
    return question.answer
  }

  /** Tells the other side. Nothing happens if it is gone. */
  tell<K extends keyof N & string>(name: K, news: N[K]): void {
    this.say([TELL, name, news])
  }

  /** As {@link tell}, of what is no great loss: it is not said where much else waits. */
  mention<K extends keyof N & string>(name: K, news: N[K]): void {
    if (!this.congested) this.say([TELL, name, news])
  }

  /** Whether so much waits to be said that nothing should be added which may wait. */
  get congested(): boolean {
    return this.waiting.length >= MOST_WAITING
  }

  /** Resolves when all that was said is on its way, or can't be any more. */
  flushed(): Promise<void> {
    if (this.closed || (this.waiting.length === 0 && !this.sending)) return Promise.resolve()
    this.idle ??= Promise.withResolvers()
    return this.idle.promise
  }

  /** The other side is gone: its questions are forgotten, and ours fail. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.waiting = []
    this.idle?.resolve()
    for (const question of this.asked) if (question?.late === false) this.fail(question, 'the other process is gone')
  }

  /** @internal */
  expire(question: Question): void {
    question.late = true
    this.overdue++
    this.fail(question, 'the other process has not answered in time')
  }

  private fail(question: Question, reason: string): void {
    this.deadlines.remove(question)
    question.reject(new ChannelError(reason, true))
  }

  private say(said: Said): void {
    if (this.closed) return
    this.waiting.push(said)
    if (this.scheduled || this.sending) return
    this.scheduled = true
    setImmediate(flush, this)
  }

  /** @internal */
  flush(): void {
    this.scheduled = false
    if (this.closed || this.sending || this.waiting.length === 0) return
    if (!this.ipc.connected) return this.close()
    const batch = this.waiting
    this.waiting = []
    this.sending = true
    this.ipc.send!(batch, undefined, undefined, (error) => {
      this.sending = false
      if (error !== null) return this.close()
      if (this.waiting.length > 0) return this.flush()
      this.idle?.resolve()
      this.idle = null
    })
  }

  private take(said: Said): void {
    if (said[0] === ASK) return void this.answer(said[1], said[2], said[3])
    if (said[0] === TELL) return this.listener.hears[said[1]]?.(said[2])
    // Its questions have failed.
    if (this.closed) return
    const [kind, id, value] = said
    const question = this.asked[id]!
    this.asked[id] = null
    this.free.push(id)
    if (question.late) {
      this.overdue--
      return
    }
    this.deadlines.remove(question)
    if (kind === ANSWER) question.resolve(value)
    else question.reject(new Error(value))
  }

  private async answer(id: number, name: string, given: unknown): Promise<void> {
    try {
      const answer = this.listener.answers[name]!(given)
      this.say([ANSWER, id, answer instanceof Promise ? await answer : answer])
    } catch (error) {
      this.say([FAILED, id, (error as Error).message])
    }
  }
}

interface Expiring {
  expire(question: Question): void
}

class Question implements Timed {
  slot = -1
  late = false
  readonly answer: Promise<unknown>
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  private readonly channel: Expiring
  private readonly until: number

  constructor(channel: Expiring, until: number) {
    this.channel = channel
    this.until = until
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.answer = promise
    this.resolve = resolve
    this.reject = reject
  }

  check(now: number): void {
    if (now >= this.until) this.channel.expire(this)
  }
}

function flush(channel: { flush(): void }): void {
  channel.flush()
}
