/** A GraphQL client over HTTP and over graphql-ws, as an operator's tool would be. */
import { createClient } from 'graphql-ws'

export interface GraphqlErrorEntry {
  readonly message: string
  readonly path?: readonly (string | number)[]
  readonly extensions?: { readonly code?: string; readonly field?: string } & Readonly<Record<string, unknown>>
}

/** The answer had errors. `code` and `field` are the first one's. */
export class GraphqlError extends Error {
  override readonly name = 'GraphqlError'
  readonly errors: readonly GraphqlErrorEntry[]
  readonly data: unknown
  readonly status: number | null
  constructor(errors: readonly GraphqlErrorEntry[], data: unknown, status: number | null) {
    super(errors.map(({ message, extensions }) => `${extensions?.code ?? '?'}: ${message}`).join('; '))
    this.errors = errors
    this.data = data
    this.status = status
  }
  get code(): string | undefined {
    return this.errors[0]?.extensions?.code
  }
  get field(): string | undefined {
    return this.errors[0]?.extensions?.field
  }
}

export type Variables = Record<string, unknown>

/** Sends one operation; `key` null sends no credentials. @throws GraphqlError */
export async function request<T>(
  url: string,
  key: string | null,
  query: string,
  variables: Variables = {},
): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ query, variables }),
  })
  const text = await response.text()
  let answer: { data?: T | null; errors?: GraphqlErrorEntry[] }
  try {
    answer = JSON.parse(text) as typeof answer
  } catch {
    throw new Error(`not GraphQL: ${response.status} ${text.slice(0, 500)}`)
  }
  if (answer.errors) throw new GraphqlError(answer.errors, answer.data, response.status)
  return answer.data as T
}

export interface Subscription<T> extends AsyncIterableIterator<T>, AsyncDisposable {
  /** Resolves once the socket is accepted; events published after the subscription has reached the server arrive. */
  readonly connected: Promise<void>
}

/** Subscribes on a socket of its own, closed by `return()`, by leaving the loop, or by disposal. */
export function subscribe<T>(
  url: string,
  key: string | null,
  query: string,
  variables: Variables = {},
): Subscription<T> {
  const connected = Promise.withResolvers<void>()
  connected.promise.catch(() => undefined)
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    connectionParams: key === null ? {} : { authorization: `Bearer ${key}` },
    retryAttempts: 0,
    lazy: true,
    on: {
      connected: () => connected.resolve(),
      closed: (event) => connected.reject(event),
      error: (error) => connected.reject(error),
    },
  })
  const events = client.iterate<T & Record<string, unknown>>({ query, variables })
  return {
    connected: connected.promise,
    async next() {
      const { done, value } = await events.next()
      if (done) return { done: true, value: undefined }
      if (value.errors) throw new GraphqlError(value.errors, value.data, null)
      return { done: false, value: value.data as T }
    },
    async return() {
      await events.return?.()
      await client.dispose()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      await this.return!()
    },
  }
}
