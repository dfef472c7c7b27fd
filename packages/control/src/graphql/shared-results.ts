/**
 * Runs subscriptions as graphql-js does, but makes an answer that several subscribers get alike once: for each of a feed's
 * events, making it costs more than all else.
 */
import {
  createSourceEventStream,
  execute,
  getOperationAST,
  Kind,
  print,
  visit,
  type ExecutionArgs,
  type ExecutionResult,
} from 'graphql'

import type { Delivery } from '../feed/mailbox.ts'
import type { Context } from './context.ts'
import { toClientError } from './errors.ts'

/** Of the newest events, so many answers are kept: subscribers that are not slow ask for them at about the same time. */
const MOST_ANSWERS = 1_000

type Result = ReturnType<typeof execute>

/** Those whose events many may ask for. Others' answers tell more than the event: how old it is, say, or how things stand now. */
const SHARED = new Set(['requestFeed', 'routeDecisionFeed'])
/** What stands beside an event, such as its token, may change: an answer is given again for so long. */
const SHARED_MS = 1_000

/** By what is asked for. */
interface Answers extends Map<string, Result> {
  /** By `performance.now()`. */
  until: number
}

/** By the event. */
const recent = new Map<object, Answers>()
let kept = 0

/** As graphql-js' `subscribe`. */
export async function subscribeShared(
  args: ExecutionArgs,
): Promise<AsyncIterableIterator<ExecutionResult, undefined> | ExecutionResult> {
  const source = await createSourceEventStream(args)
  if (!(Symbol.asyncIterator in source)) return source
  return new Answered(source[Symbol.asyncIterator](), args)
}

class Answered implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #source: AsyncIterator<unknown>
  readonly #args: ExecutionArgs
  readonly #selection: string | null
  #failed = false

  constructor(source: AsyncIterator<unknown>, args: ExecutionArgs) {
    this.#source = source
    this.#args = args
    this.#selection = selectionOf(args)
  }

  /** What the source fails by is the last answer. */
  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (this.#failed) return { done: true, value: undefined }
    try {
      const { done, value } = await this.#source.next()
      if (done) return { done: true, value: undefined }
      return { done: false, value: await this.#answer(value) }
    } catch (error) {
      this.#failed = true
      await this.#source.return?.()
      const { origin, log } = this.#args.contextValue as Context
      return { done: false, value: { errors: [toClientError(error, origin.requestId, log)] } }
    }
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<never> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #answer(event: unknown): Result {
    if (this.#selection === null || !isWhole(event)) return this.#execute(event)
    const answers = recent.get(event.message)
    if (answers !== undefined && answers.until < performance.now()) return this.#execute(event)
    const known = answers?.get(this.#selection)
    if (known !== undefined) return known
    const answer = this.#execute(event)
    keep(event.message, this.#selection, answer)
    return answer
  }

  #execute(rootValue: unknown): Result {
    return execute({ ...this.#args, rootValue })
  }
}

function keep(message: object, selection: string, answer: Result): void {
  const answers = recent.get(message)
  if (answers) answers.set(selection, answer)
  else recent.set(message, Object.assign(new Map([[selection, answer]]), { until: performance.now() + SHARED_MS }))
  for (kept++; kept > MOST_ANSWERS;) {
    const [oldest, given] = recent.entries().next().value!
    recent.delete(oldest)
    kept -= given.size
  }
}

/** Of others, `dropped` is the one subscriber's. */
function isWhole(event: unknown): event is Delivery<object> {
  const { message, dropped } = event as Partial<Delivery<unknown>>
  return typeof message === 'object' && message !== null && dropped === 0
}

/**
 * The same for those whose answers are: what is asked for, without the root field's arguments, which decide which events
 * come and not what is said of them; and how far the key reaches. Null: it can't be told.
 */
function selectionOf({ document, operationName, variableValues, contextValue }: ExecutionArgs): string | null {
  const operation = getOperationAST(document, operationName)!
  const [root] = operation.selectionSet.selections
  if (root?.kind !== Kind.FIELD || !SHARED.has(root.name.value)) return null
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
  const asked = [{ ...root, arguments: [] }, ...fragments]
  const used = new Set<string>()
  for (const node of asked) visit(node, { Variable: ({ name }) => void used.add(name.value) })
  const definitions = (operation.variableDefinitions ?? []).filter(({ variable }) => used.has(variable.name.value))
  // One that is absent is not one that is null.
  const values = Array.from(used, (name) =>
    variableValues && name in variableValues ? [name, variableValues[name]] : [name],
  )
  return JSON.stringify([asked.map(print), definitions.map(print), values, (contextValue as Context).scope.key])
}
