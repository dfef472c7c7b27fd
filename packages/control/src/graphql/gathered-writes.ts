/** A WebSocket's messages of one turn of the event loop in one write: a feed sends many, and each write costs more than they do. */
import type { Socket } from 'node:net'

import type { WebSocket } from 'ws'

/** So much may wait in a socket before who sends has to wait, too. */
const MOST_WAITING_BYTES = 64 * 1024

type Done = (error?: Error) => void

/**
 * From now on, who sends by the socket is told at once that it may go on, unless the client is slow: then, when what it has
 * sent is on its way.
 * @param stream what the WebSocket writes to
 */
export function gatherWrites(socket: WebSocket, stream: Socket): void {
  const send: (data: string, done: Done) => void = socket.send.bind(socket)
  let gathering = false
  const release = (): void => {
    gathering = false
    stream.uncork()
  }
  const gathered = (data: string, done: Done = () => undefined): void => {
    if (!gathering) {
      gathering = true
      stream.cork()
      setImmediate(release)
    }
    const isSlow = socket.bufferedAmount > MOST_WAITING_BYTES
    send(data, isSlow ? done : () => undefined)
    if (!isSlow) done()
  }
  socket.send = gathered as WebSocket['send']
}
