/** The control plane's GraphQL, as a proxy uses it. Cold: nothing here runs while a request waits. */
import { createClient, type Client } from 'graphql-ws'
import { Pool } from 'undici'

/** Mutations are given up after this; what they carried is sent again. */
const TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5_000
/**
 * Silence after which a WebSocket is taken for dead, from its first handshake on: a cut network sends no goodbye. Every
 * ping is answered, so that one that lives is never silent for so long.
 */
const SILENCE_MS = 2 * KEEP_ALIVE_MS

export class ControlClient {
  private readonly endpoint: URL
  private readonly authorization: string
  private readonly pool: Pool

  constructor(controlUrl: string, proxyKey: string) {
    const base = controlUrl.replace(/^ws/, 'http').replace(/\/*$/, '/')
    this.endpoint = new URL('graphql', base)
    this.pool = new Pool(this.endpoint.origin, { connections: 4, connectTimeout: TIMEOUT_MS })
    this.authorization = `Bearer ${proxyKey}`
  }

  /** Sends one operation. Otherwise as {@link send}. */
  async execute<Data>(query: string, variables: object): Promise<Data> {
    return this.send(JSON.stringify({ query, variables }))
  }

  /**
   * Sends one operation.
   * @param operation a GraphQL request as JSON
   * @param signal ends the call early
   * @throws Error that says why it was not carried out; the key is never in it
   */
  async send<Data>(operation: Buffer | string, signal?: AbortSignal): Promise<Data> {
    const { statusCode, body } = await this.pool.request({
      path: this.endpoint.pathname,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: this.authorization },
      body: operation,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: signal ?? null,
    })
    const text = await body.text()
    let result: { data?: Data | null; errors?: { message?: string }[] }
    try {
      result = JSON.parse(text) as typeof result
    } catch {
      throw new Error(`the control plane answered ${statusCode}, not GraphQL`)
    }
    if (result.errors?.length || !result.data) {
      throw new Error(`the control plane answered ${statusCode}: ${result.errors?.[0]?.message ?? 'no data'}`)
    }
    return result.data
  }

  async close(): Promise<void> {
    await this.pool.destroy()
  }

  /**
   * A connection for subscriptions. It does not reconnect by itself: its user knows what to do in between.
   * @param onAlive called whenever the other side has shown that it is there
   */
  connect(onAlive: () => void): Client {
    let silence: NodeJS.Timeout | undefined
    const expect = (): void => {
      clearTimeout(silence)
      silence = setTimeout(() => client.terminate(), SILENCE_MS).unref()
    }
    const client = createClient({
      url: this.endpoint.href.replace(/^http/, 'ws'),
      connectionParams: { authorization: this.authorization },
      lazy: true,
      retryAttempts: 0,
      keepAlive: KEEP_ALIVE_MS,
      on: {
        connecting: expect,
        message: () => {
          expect()
          onAlive()
        },
        closed: () => clearTimeout(silence),
      },
    })
    return client
  }
}
