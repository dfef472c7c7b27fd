/** Debug captures at the control plane, as an operator and a proxy see them. */
import {
  DEBUG_CAPTURES_SUBSCRIPTION,
  parseDebugCapture,
  STORE_DEBUG_EXCHANGES_MUTATION,
  type DebugCapture,
} from '@millrace/shared'

import type { ControlProcess } from '../../helpers/control.ts'
import type { Subscription } from '../../helpers/graphql.ts'
import { waitFor } from '../../helpers/wait.ts'

const CAPTURE = 'enabled maxBodyBytes retentionHours until tokens models'
export const READ = `{ it: debugCapture { ${CAPTURE} } }`
export const SET = `mutation ($enabled: Boolean!, $maxBodyBytes: Int, $retentionHours: Int, $minutes: Int, $tokens: [ID!], $models: [String!]) {
  it: setDebugCapture(enabled: $enabled, maxBodyBytes: $maxBodyBytes, retentionHours: $retentionHours, minutes: $minutes,
    tokens: $tokens, models: $models) { ${CAPTURE} }
}`
const EXCHANGE = `query ($id: ID!) { it: debugExchange(id: $id) {
  id requestId at method target model requestHeaders requestBody responseStatus responseHeaders responseBody truncated
  expiresAt project { id } token { id }
} }`
export const PAGE = `query ($first: Int, $after: String) { it: debugExchanges(first: $first, after: $after) {
  edges { node { id requestId responseStatus project { id } } } pageInfo { hasNextPage endCursor }
} }`

/** As a proxy does. */
export async function store(control: ControlProcess, exchanges: unknown[], key = control.proxyKey): Promise<number> {
  return (await control.gql<any>(STORE_DEBUG_EXCHANGES_MUTATION, { exchanges }, key)).storeDebugExchanges
}
/** Null where there is none. */
export const find = async (control: ControlProcess, id: string, key = control.adminKey): Promise<any> =>
  (await control.gql(EXCHANGE, { id }, key))['it']

/** What a proxy is told. */
export class Following implements AsyncDisposable {
  readonly told: DebugCapture[] = []
  readonly #events: Subscription<{ debugCaptures: unknown }>
  readonly #listening: Promise<void>

  constructor(control: ControlProcess, key = control.proxyKey) {
    this.#events = control.subscribe(DEBUG_CAPTURES_SUBSCRIPTION, {}, key)
    this.#listening = this.#listen()
    this.#listening.catch(() => undefined)
  }

  async #listen(): Promise<void> {
    for await (const { debugCaptures } of this.#events) this.told.push(parseDebugCapture(debugCaptures))
  }

  until(meant: (told: DebugCapture) => boolean): Promise<DebugCapture> {
    return waitFor(() => this.told.findLast(meant), { what: 'what a proxy is told', timeoutMs: 20_000 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events.return!()
    await this.#listening
  }
}
