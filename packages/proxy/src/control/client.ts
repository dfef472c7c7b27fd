/** The control plane's GraphQL, as a proxy uses it. Cold: nothing here runs while a request waits. */
import { createClient, type Client } from 'graphql-ws'
import { Pool } from 'undici'
import { WebSocket } from 'ws'

/** Mutations are given up after this; what they carried is sent again. */
const TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5_000
/**
 * Silence after which a WebSocket is taken for dead, from its first handshake on: a cut network sends no goodbye. Every
 * ping is answered, so that one that lives is never silent for so long.
 */
const SILENCE_MS = 2 * KEEP_ALIVE_MS

const VIEWER_QUERY = '{ viewer { role } }'

interface Answer<Data> {
  readonly data?: Data | null
  readonly errors?: readonly { readonly message?: string; readonly extensions?: { readonly code?: string } }[]
}

/** A connection that can be made to wait: what comes meanwhile stays with the other side. */
export interface ControlConnection extends Client {
  pause(): void
  resume(): void
}

/** graphql-ws no longer listens to a socket that it terminates; what still becomes of one is nobody's business. */
class ControlSocket extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols)
    this.on('error', () => {})
  }
}

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
    const { statusCode, data, errors } = await this.post<Data>(operation, this.authorization, signal)
    if (errors?.length || !data) {
      throw new Error(`the control plane answered ${statusCode}: ${errors?.[0]?.message ?? 'no data'}`)
    }
    return data
  }

  /**
   * The role of an admin key that somebody has shown.
   * @returns null if it is none
   * @throws Error if the control plane does not say
   */
  async roleOf(key: string): Promise<string | null> {
    const operation = JSON.stringify({ query: VIEWER_QUERY })
    const { statusCode, data, errors } = await this.post<{ viewer: { role: string } }>(operation, `Bearer ${key}`)
    if (data) return data.viewer.role
    if (errors?.[0]?.extensions?.code === 'UNAUTHENTICATED') return null
    throw new Error(`the control plane answered ${statusCode}: ${errors?.[0]?.message ?? 'no data'}`)
  }

  /** @throws Error if there is no answer of GraphQL's */
  private async post<Data>(
    operation: Buffer | string,
    authorization: string,
    signal?: AbortSignal,
  ): Promise<Answer<Data> & { readonly statusCode: number }> {
    const { statusCode, body } = await this.pool.request({
      path: this.endpoint.pathname,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: operation,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: signal ?? null,
    })
    const text = await body.text()
    try {
      return { ...(JSON.parse(text) as Answer<Data>), statusCode }
    } catch {
      throw new Error(`the control plane answered ${statusCode}, not GraphQL`)
    }
  }

  async close(): Promise<void> {
    await this.pool.destroy()
  }

  /**
   * A connection for subscriptions. It does not reconnect by itself: its user knows what to do in between.
   * @param onAlive called whenever the other side has shown that it is there
   */
  connect(onAlive: () => void): ControlConnection {
    let socket: WebSocket | undefined
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
      webSocketImpl: ControlSocket,
      on: {
        connecting: expect,
        opened: (opened) => {
          socket = opened as WebSocket
        },
        message: () => {
          expect()
          onAlive()
        },
        closed: () => clearTimeout(silence),
      },
    })
    return { ...client, pause: () => socket?.pause(), resume: () => socket?.resume() }
  }
}
