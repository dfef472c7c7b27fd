/**
 * The bench's provider: HTTP on bare sockets, canned answers, as cheap as can be, so that what stands before it is the bottleneck.
 * It understands just what its clients send: keep-alive requests with a content-length, one at a time on a connection.
 * Run as a process of its own; says {type: 'ready', url}.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'

import { answerBody, DONE, EVENTS_A_WRITE, PROVIDER_MODEL, streamEvents } from './messages.ts'

const JSON_ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answerBody(PROVIDER_MODEL).length}\r\n\r\n${answerBody(PROVIDER_MODEL)}`,
)
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const { first, content, last, usage } = streamEvents(PROVIDER_MODEL)
const HEAD_AND_FIRST = Buffer.from(STREAM_HEAD + chunk(first))
const CONTENT = Buffer.from(chunk(content))
const CONTENT_BLOCK = Buffer.from(chunk(content).repeat(EVENTS_A_WRITE))
const TAIL = Buffer.from(`${chunk(last)}${chunk(DONE)}0\r\n\r\n`)
const TAIL_WITH_USAGE = Buffer.from(`${chunk(last)}${chunk(usage)}${chunk(DONE)}0\r\n\r\n`)

const HEAD_END = Buffer.from('\r\n\r\n')
const STREAM_SHAPE = /"user":"e(\d+)g(\d+)"/

interface Stream {
  readonly socket: Socket
  readonly tail: Buffer
  left: number
}

/** One slot a millisecond: streams at a gap are spread over its length, so that chunks don't come in herds. */
class Wheel {
  readonly #slots = new Map<number, Set<Stream>[]>()
  #turn = 0
  #tick = 0

  add(stream: Stream, gapMs: number): void {
    let slots = this.#slots.get(gapMs)
    if (!slots) this.#slots.set(gapMs, (slots = Array.from({ length: gapMs }, () => new Set<Stream>())))
    slots[this.#turn++ % gapMs]!.add(stream)
  }

  run(): void {
    const start = performance.now()
    setInterval(() => {
      // Catches up where the timer was late: the rate must hold.
      for (const due = performance.now() - start; this.#tick < due; this.#tick++) this.#advance()
    }, 1)
  }

  #advance(): void {
    for (const [gapMs, slots] of this.#slots) {
      const slot = slots[this.#tick % gapMs]!
      for (const stream of slot) {
        if (stream.socket.destroyed) {
          slot.delete(stream)
        } else if (stream.left-- > 0) {
          stream.socket.write(CONTENT)
        } else {
          slot.delete(stream)
          stream.socket.write(stream.tail)
        }
      }
    }
  }
}

const wheel = new Wheel()
wheel.run()

function pump(stream: Stream): void {
  while (stream.left > 0) {
    stream.left -= EVENTS_A_WRITE
    if (!stream.socket.write(CONTENT_BLOCK)) {
      stream.socket.once('drain', () => pump(stream))
      return
    }
  }
  stream.socket.write(stream.tail)
}

function respond(socket: Socket, body: string): void {
  const shape = STREAM_SHAPE.exec(body)
  if (!shape) {
    socket.write(JSON_ANSWER)
    return
  }
  const stream = {
    socket,
    left: Number(shape[1]),
    tail: body.includes('"include_usage":true') ? TAIL_WITH_USAGE : TAIL,
  }
  const gapMs = Number(shape[2])
  socket.write(HEAD_AND_FIRST)
  if (gapMs > 0) wheel.add(stream, gapMs)
  else pump(stream)
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer | null = null
  socket.on('error', () => undefined)
  socket.on('data', (data: Buffer) => {
    const bytes: Buffer = pending ? Buffer.concat([pending, data]) : data
    pending = bytes
    const head = bytes.indexOf(HEAD_END)
    if (head < 0) return
    const length = /\r\ncontent-length: ?(\d+)/i.exec(bytes.toString('latin1', 0, head))
    if (!length) {
      socket.end('HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const end = head + 4 + Number(length[1])
    if (bytes.length < end) return
    pending = bytes.length === end ? null : bytes.subarray(end)
    respond(socket, bytes.toString('latin1', head + 4, end))
  })
})

server.listen(0, '127.0.0.1', 1_024, () => {
  process.send!({ type: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})
process.on('disconnect', () => process.exit())
