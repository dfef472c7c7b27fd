/** A collector of OpenTelemetry's traces: a real HTTP server that takes OTLP as JSON, and keeps what it gets. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { json } from 'node:stream/consumers'

import { waitFor } from './wait.ts'

type Scalar = string | number | boolean

interface OtlpValue {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
  readonly boolValue?: boolean
}

interface OtlpAttribute {
  readonly key: string
  readonly value: OtlpValue
}

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly OtlpAttribute[]
  readonly status: { readonly code?: number }
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] }
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly OtlpSpan[] }[]
  }[]
}

/** A span as a test looks at it; `kind` and `status` are OTLP's numbers. */
export interface SeenSpan extends Omit<OtlpSpan, 'attributes' | 'status'> {
  readonly attributes: Readonly<Record<string, Scalar | undefined>>
  readonly status: number
  /** Milliseconds since the epoch. */
  readonly begin: number
  readonly end: number
  readonly resource: Readonly<Record<string, Scalar | undefined>>
}

export const SERVER = 2
export const CLIENT = 3

export class OtlpReceiver implements AsyncDisposable {
  /** What `OTEL_EXPORTER_OTLP_ENDPOINT` is to be. */
  readonly url: string
  readonly spans: SeenSpan[] = []
  /** Paths and headers of what came. */
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly text: string }[] = []
  /** How it answers from now on; `never`: not at all. */
  answers: number | 'never' = 200
  readonly #server: Server
  readonly #sockets: Set<Socket>

  constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server
    this.#sockets = sockets
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** Waits for all spans of a trace, of which there are at least so many. */
  trace(traceId: string, count: number): Promise<SeenSpan[]> {
    return waitFor(
      () => {
        const found = this.spans.filter((span) => span.traceId === traceId)
        return found.length >= count && found
      },
      { what: `${count} spans of ${traceId}`, timeoutMs: 20_000 },
    )
  }

  take(path: string, headers: IncomingHttpHeaders, body: OtlpRequest): void {
    this.requests.push({ path, headers, text: JSON.stringify(body) })
    for (const { resource, scopeSpans } of body.resourceSpans)
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          ...span,
          status: span.status.code ?? 0,
          attributes: read(span.attributes),
          resource: read(resource.attributes),
          begin: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
          end: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
        })
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Starts one on a free port. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      if (receiver.answers === 'never') return
      if (receiver.answers === 200) receiver.take(request.url!, request.headers, body as OtlpRequest)
      response.writeHead(receiver.answers, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver = new OtlpReceiver(server, sockets)
  return receiver
}

function read(attributes: readonly OtlpAttribute[]): Record<string, Scalar | undefined> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, scalarOf(value)]))
}

function scalarOf({ stringValue, intValue, doubleValue, boolValue }: OtlpValue): Scalar | undefined {
  return stringValue ?? (intValue === undefined ? undefined : Number(intValue)) ?? doubleValue ?? boolValue
}
