/** A stream of server-sent events on its socket: what comes next is made when the socket has taken what came before. */
import type { ServerResponse } from 'node:http'

/** A client that takes nothing for so long is taken to have gone. */
const STALLED_MS = 30_000

/** Events of one operation, which graphql-sse would else queue without end for a client that does not read. */
export class PacedEvents<T> implements AsyncIterableIterator<T, undefined> {
  readonly #events: AsyncIterator<T, unknown>
  #taken = Promise.resolve()
  #release: () => void = () => undefined

  constructor(events: AsyncIterator<T, unknown>) {
    this.#events = events
  }

  /** Tells that the client has taken the last one. */
  taken(): void {
    this.#release()
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    await this.#taken
    const { done, value } = await this.#events.next()
    if (done) return { done: true, value: undefined }
    ;({ promise: this.#taken, resolve: this.#release } = Promise.withResolvers<void>())
    return { done: false, value }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    await this.#events.return?.()
    this.taken()
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<never> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/**
 * Writes messages until there are no more, or the client is gone.
 * @param written called after each that the socket has taken
 */
export async function writeMessages(
  response: ServerResponse,
  messages: AsyncIterator<string, unknown>,
  written: (message: string) => void,
): Promise<void> {
  const end = (): void => void messages.return?.()
  response.once('close', end)
  try {
    for (;;) {
      const { done, value } = await messages.next()
      if (done || response.destroyed || response.writableEnded) break
      if (!response.write(value)) await drained(response)
      written(value)
    }
  } finally {
    response.off('close', end)
    end()
  }
}

/** Resolves when the socket takes more, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), STALLED_MS)
    const settle = (): void => {
      clearTimeout(timer)
      response.off('drain', settle)
      response.off('close', settle)
      resolve()
    }
    response.on('drain', settle)
    response.on('close', settle)
  })
}
