import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'

import { ClientServer, setUploading } from './client-server.ts'

/** Answers with what it was sent; at `/upload`, it may take its time. */
const server = new ClientServer({ requestTimeout: 1_000, connectionsCheckingInterval: 20 }, (req, res) => {
  setUploading(req.socket, req.url === '/upload')
  void req.toArray().then(
    (chunks) => res.end(Buffer.concat(chunks as Buffer[])),
    () => undefined,
  )
})
before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => {
  server.closeAllConnections()
  server.close()
})

class Client {
  got = ''
  readonly #socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  readonly ended = once(this.#socket, 'close')

  constructor() {
    this.#socket.on('data', (chunk: Buffer) => (this.got += chunk.toString()))
  }

  begin(path: string): void {
    this.#socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nfirst`)
  }

  async finish(): Promise<void> {
    this.#socket.write('-last')
    while (!this.got.includes('-last')) await once(this.#socket, 'data')
  }
}

test('an upload may take longer to come than other requests', async () => {
  const upload = new Client()
  upload.begin('/upload')
  const other = new Client()
  other.begin('/other')
  await other.ended
  assert.match(other.got, /^HTTP\/1\.1 408 /)
  // Another that began later has been ended meanwhile.
  await upload.finish()
  assert.match(upload.got, /^HTTP\/1\.1 200 [^]*first-last$/)

  // What comes next on its connection has no longer than others.
  upload.got = ''
  upload.begin('/other')
  await upload.ended
  assert.match(upload.got, /^HTTP\/1\.1 408 /)
})

test('what is no HTTP is refused as ever', async () => {
  const client = new Client()
  client.begin('/up load')
  await client.ended
  assert.match(client.got, /^HTTP\/1\.1 400 /)
})
