/** What an operator does who debugs: turns captures on and off, and looks at what was caught. */
import assert from 'node:assert/strict'

import type { Gateway } from '../../helpers/gateway.ts'
import type { Answer } from '../../helpers/http.ts'
import { waitFor } from '../../helpers/wait.ts'

const SET = `mutation ($enabled: Boolean!, $maxBodyBytes: Int, $retentionHours: Int, $tokens: [ID!], $models: [String!]) {
  it: setDebugCapture(enabled: $enabled, maxBodyBytes: $maxBodyBytes, retentionHours: $retentionHours, tokens: $tokens, models: $models) {
    enabled
  }
}`
const EXCHANGE = `query ($id: ID!) { it: debugExchange(id: $id) {
  id requestId at method target model project { id } token { id } requestHeaders requestBody
  responseStatus responseHeaders responseBody truncated expiresAt
} }`

const NEWEST = '{ it: debugExchanges { edges { node { id requestId } } } }'

export interface Captured {
  readonly id: string
  readonly requestId: string
  readonly at: string
  readonly method: string
  readonly target: string
  readonly model: string | null
  readonly project: { readonly id: string } | null
  readonly token: { readonly id: string } | null
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly requestBody: string | null
  readonly responseStatus: number
  readonly responseHeaders: Readonly<Record<string, string>>
  readonly responseBody: string | null
  readonly truncated: boolean
  readonly expiresAt: string
}

type Options = Readonly<Record<string, unknown>>

export class Debugging {
  readonly #gateway: Gateway
  readonly #processes: number

  /** @param processes of the proxy: each has to hear of it */
  constructor(gateway: Gateway, processes = 1) {
    this.#gateway = gateway
    this.#processes = processes
  }

  /** Captures so from when this returns on. */
  async on(options: Options = {}): Promise<void> {
    await this.off()
    await this.#set('on', { enabled: true, ...options })
  }

  /** Captures nothing more from when this returns on. */
  async off(): Promise<void> {
    if (this.#said('on') > this.#said('off')) await this.#set('off', { enabled: false })
  }

  /** Runs while captures are so. */
  async while<T>(options: Options, run: () => Promise<T>): Promise<T> {
    await this.on(options)
    try {
      return await run()
    } finally {
      await this.off()
    }
  }

  /** What was captured of a request, by its record's id; null: nothing, now. */
  async find(id: string): Promise<Captured | null> {
    return (await this.#gateway.control.gql<{ it: Captured | null }>(EXCHANGE, { id })).it
  }

  /** What was captured of an answer's request, once it is stored. */
  of(answer: Pick<Answer, 'headers'> | string): Promise<Captured> {
    const id = typeof answer === 'string' ? answer : idOf(answer)
    return waitFor(() => this.find(id), { what: `the exchange ${id}`, timeoutMs: 20_000 })
  }

  /** The same, of who got no answer to read its id from. */
  async ofRequest(requestId: string): Promise<Captured> {
    const found = await waitFor(
      async () => {
        const { it } = await this.#gateway.control.gql(NEWEST)
        return it.edges.find(({ node }: any) => node.requestId === requestId)
      },
      { what: `an exchange of ${requestId}`, timeoutMs: 20_000 },
    )
    return this.of(found.node.id)
  }

  /** Asserts that nothing was captured of these, by what ended after them and is stored. */
  async assertNone(answers: readonly Pick<Answer, 'headers'>[], later: Pick<Answer, 'headers'>): Promise<void> {
    await this.of(later)
    for (const answer of answers) assert.equal(await this.find(idOf(answer)), null)
  }

  async #set(word: 'on' | 'off', options: Options): Promise<void> {
    const before = this.#said(word)
    await this.#gateway.control.gql(SET, options)
    await waitFor(() => this.#said(word) >= before + this.#processes, { what: `debug capture to be ${word}` })
  }

  /** How often the proxy's processes have said it. */
  #said(word: 'on' | 'off'): number {
    return this.#gateway.proxy.output().stderr.split(`debug capture is ${word}`).length - 1
  }
}

export function idOf({ headers }: Pick<Answer, 'headers'>): string {
  return String(headers['x-millrace-id'])
}
