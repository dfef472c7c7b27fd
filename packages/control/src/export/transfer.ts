/** One export on its way to a client: as fast as the client reads, whole or broken off. */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

import type { RequestRecord } from '@millrace/shared'

import type { Format } from './formats.ts'

export interface Transfer {
  readonly format: Format
  readonly headers: Readonly<Record<string, string>>
  readonly gzip: boolean
  /** Records, page by page. The next page is asked for once the one before is on its way. */
  readonly pages: AsyncIterator<readonly RequestRecord[], void>
  /** Breaks it off. */
  readonly signal: AbortSignal
  /** How long a client may read nothing at all. */
  readonly stallMs: number
}

/** Nobody reads any more: no fault of ours. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

const GONE = new Set<unknown>(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'])

/**
 * Resolves once the client has been sent everything. What fails before the first page is there leaves the answer untouched;
 * what fails later ends the connection, so that what was sent can't be taken for a whole.
 * @param handedOn told how many records each page had
 * @throws ClientGone; else what went wrong
 */
export async function transfer(
  response: ServerResponse,
  { format, headers, gzip, pages, signal, stallMs }: Transfer,
  handedOn: (records: number) => void,
): Promise<void> {
  const stalled = new AbortController()
  const ending = { signal: AbortSignal.any([signal, stalled.signal]) }
  // By a reset: to a client of HTTP/1.0, or a proxy that asks for it as one, a mere end would be the answer's.
  const breakOff = (): void => void response.socket?.resetAndDestroy()
  let failed = false
  const fail = (): void => {
    // What breaks at the client's end is thrown here, too.
    failed = !response.destroyed
    breakOff()
  }
  try {
    const first = await pages.next()
    signal.throwIfAborted()
    if (response.destroyed) throw new ClientGone('the client has gone')
    response.writeHead(200, { ...headers, ...(gzip ? { 'content-encoding': 'gzip' } : {}) })
    // A client is told at once, however long is to be searched.
    response.flushHeaders()
    noticeStalled(response, stallMs, () => stalled.abort(new ClientGone('the client has stopped reading')))
    ending.signal.addEventListener('abort', breakOff, { once: true })
    const texts = Readable.from(encoded(format, first, pages, handedOn, fail), { highWaterMark: 1 })
    await (gzip ? pipeline(texts, createGzip(), response, ending) : pipeline(texts, response, ending))
  } catch (error) {
    stalled.signal.throwIfAborted()
    // The database's connections break as a client's do.
    const isClients = response.headersSent && !failed && GONE.has((error as NodeJS.ErrnoException).code)
    throw isClients ? new ClientGone('the client has gone') : error
  } finally {
    ending.signal.removeEventListener('abort', breakOff)
    await pages.return?.()
  }
}

async function* encoded(
  { begin, encode }: Format,
  first: IteratorResult<readonly RequestRecord[], void>,
  pages: AsyncIterator<readonly RequestRecord[], void>,
  handedOn: (records: number) => void,
  failed: () => void,
): AsyncGenerator<string, void> {
  try {
    const head = begin()
    if (head !== '') yield head
    for (let page = first; !page.done; page = await pages.next()) {
      yield encode(page.value)
      handedOn(page.value.length)
    }
  } catch (error) {
    failed()
    throw error
  }
}

/** A client has stopped reading once not a byte has left the socket for so long; one that waits for the database has not. */
function noticeStalled(response: ServerResponse, stallMs: number, stalled: () => void): void {
  response.setTimeout(stallMs, () => {
    if (response.writableLength > 0) stalled()
    else response.setTimeout(stallMs)
  })
}
