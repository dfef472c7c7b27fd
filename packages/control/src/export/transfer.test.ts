import assert from 'node:assert/strict'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { ClientGone, transfer } from './transfer.ts'

const STALL_MS = 300
/** Of clients that do read: more than a busy machine lets this process stand still. */
const LONG_STALL_MS = 2_000
const PAGE = 'x'.repeat(1_000_000)
const FORMAT = { contentType: 'text/plain', begin: () => 'begin\n', encode: () => PAGE }

/** Pages as they come, of nothing that matters. */
async function* pagesOf(count: number, everyMs = 0): AsyncGenerator<never[], void> {
  for (let i = 0; i < count; i++) {
    if (i > 0 && everyMs > 0) await sleep(everyMs)
    yield []
  }
}

/** Sends pages to a client. @returns its answer, and what became of the transfer: null, or what was thrown */
async function begin(
  pages: AsyncIterator<never[], void>,
  stallMs = STALL_MS,
): Promise<{ answer: IncomingMessage; end: Promise<unknown> }> {
  const ended = Promise.withResolvers<unknown>()
  const { signal } = new AbortController()
  const server = createServer((_request, response) => {
    const sent = transfer(response, { format: FORMAT, headers: {}, gzip: false, pages, signal, stallMs }, () => {})
    sent.then(() => ended.resolve(null), ended.resolve)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const asked = request({ port, agent: false }).end()
  const answer = await new Promise<IncomingMessage>((resolve) => asked.once('response', resolve))
  answer.on('error', () => undefined)
  return { answer, end: ended.promise }
}

test('a client that stops reading is let go', async () => {
  const { end } = await begin(pagesOf(1_000))
  const error = await end
  assert.ok(error instanceof ClientGone)
  assert.equal(error.message, 'the client has stopped reading')
})

test('one that reads slowly is not', async () => {
  const { answer, end } = await begin(pagesOf(40), LONG_STALL_MS)
  let bytes = 0
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length
    // Some time for each megabyte: far longer than it may stand still, all in all.
    if (bytes % 1_000_000 < (chunk as Buffer).length) await sleep(80)
  }
  assert.equal(await end, null)
  assert.equal(bytes, 'begin\n'.length + 40 * PAGE.length)
})

test('nor one that waits for what is still to be found', async () => {
  const { answer, end } = await begin(pagesOf(2, 1.5 * LONG_STALL_MS), LONG_STALL_MS)
  answer.resume()
  assert.equal(await end, null)
})

test('one that goes ends the reading', async () => {
  let closed = false
  async function* endless(): AsyncGenerator<never[], void> {
    try {
      for (;;) yield []
    } finally {
      closed = true
    }
  }
  const { answer, end } = await begin(endless())
  answer.destroy()
  assert.ok((await end) instanceof ClientGone)
  assert.ok(closed)
})

test('a connection that the database has lost is no client that has gone', async () => {
  const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  for (const count of [0, 2]) {
    async function* failing(): AsyncGenerator<never[], void> {
      yield* pagesOf(count)
      throw lost
    }
    const ended = Promise.withResolvers<unknown>()
    const server = createServer((_request, response) => {
      const { signal } = new AbortController()
      const asked = { format: FORMAT, headers: {}, gzip: false, pages: failing(), signal, stallMs: 60_000 }
      void transfer(response, asked, () => {})
        .catch(ended.resolve)
        .finally(() => response.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    after(() => server.close().closeAllConnections())
    const { port } = server.address() as AddressInfo
    request({ port, agent: false }, (answer) => answer.on('error', () => undefined).resume())
      .on('error', () => undefined)
      .end()
    assert.equal(await ended.promise, lost, `after ${count} pages`)
  }
})
