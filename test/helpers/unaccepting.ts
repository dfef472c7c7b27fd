/** A port at which connecting takes for ever: its backlog is full and nobody accepts. */
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

const LISTEN = `
const { createServer } = require('node:net')
const { parentPort } = require('node:worker_threads')
const server = createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  // The loop that would accept stands still from here on.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
`
/** More than any kernel makes of a backlog of one. */
const FILLERS = 8

export interface UnacceptingPort extends AsyncDisposable {
  readonly port: number
}

/** Opens such a port. Linux drops what doesn't fit into a backlog; elsewhere this may refuse instead. */
export async function unacceptingPort(): Promise<UnacceptingPort> {
  const worker = new Worker(LISTEN, { eval: true })
  const port = await new Promise<number>((resolve) => worker.once('message', resolve))
  const fillers: Socket[] = Array.from({ length: FILLERS }, () =>
    connect(port, '127.0.0.1').on('error', () => undefined),
  )
  await new Promise((resolve) => fillers[0]!.once('connect', resolve))
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy()
      await worker.terminate()
    },
  }
}
