/** HTTP as it is on the wire: raw header names, bodies as bytes, answers that stay open, connections of one's own. */
import { request as httpRequest, type Agent, type ClientRequest, type IncomingMessage } from 'node:http'

export interface SendOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
  /** Absent: a connection for this request alone. */
  readonly agent?: Agent
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly text: string
  /** False where the connection ended before the answer did. */
  readonly complete: boolean
}

/** An answer whose head has come. Reading is up to the test. */
export class OpenAnswer implements Disposable {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly stream: IncomingMessage
  readonly #request: ClientRequest

  constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request
    this.stream = response
    this.status = response.statusCode!
    this.headers = response.headers
    response.on('error', () => undefined)
  }

  /** Reads on until `text` has come, and returns all that has come since the last call. */
  async until(text: string): Promise<string> {
    let received = ''
    for await (const chunk of this.stream.iterator({ destroyOnReturn: false })) {
      received += (chunk as Buffer).toString()
      if (received.includes(text)) return received
    }
    throw new Error(`the answer ended before ${JSON.stringify(text)} came: ${received.slice(-1_000)}`)
  }

  /** Reads to the end, whole or cut off. */
  async rest(): Promise<{ body: Buffer; complete: boolean }> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of this.stream) chunks.push(chunk as Buffer)
    } catch {
      return { body: Buffer.concat(chunks), complete: false }
    }
    return { body: Buffer.concat(chunks), complete: this.stream.complete }
  }

  /** Goes, as a client whose user has closed the window. */
  abort(): void {
    this.#request.destroy()
  }

  [Symbol.dispose](): void {
    this.abort()
  }
}

/** Begins a request whose body is written by the caller. Settles `answer` with the head, or with what went wrong. */
export function begin(url: string, options: SendOptions = {}): { request: ClientRequest; answer: Promise<OpenAnswer> } {
  const request = httpRequest(url, {
    method: options.method ?? 'POST',
    headers: options.headers ?? {},
    agent: options.agent ?? false,
  })
  const answer = new Promise<OpenAnswer>((resolve, reject) => {
    request.once('response', (response) => resolve(new OpenAnswer(request, response)))
    request.once('error', reject)
  })
  answer.catch(() => undefined)
  return { request, answer }
}

/** Sends a request and waits for the head of its answer. */
export function open(url: string, options: SendOptions = {}): Promise<OpenAnswer> {
  const { request, answer } = begin(url, options)
  request.end(options.body)
  return answer
}

/** Sends a request and reads the answer to its end, whole or cut off. */
export async function send(url: string, options: SendOptions = {}): Promise<Answer> {
  const answer = await open(url, options)
  const { body, complete } = await answer.rest()
  return {
    status: answer.status,
    headers: answer.headers,
    rawHeaders: answer.stream.rawHeaders,
    body,
    text: body.toString(),
    complete,
  }
}
