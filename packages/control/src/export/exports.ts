/** `/export/*`: what is stored, as a file. Who may, how many at once, and that it can be seen who did. */
import type { IncomingMessage, ServerResponse } from 'node:http'

import { GraphQLError, type GraphQLInputObjectType } from 'graphql'

import { failureOf, isRefusal, refusalOf, type ReaderDoor, type Refusal } from '../access/reader.ts'
import type { Origin } from '../graphql/context.ts'
import { runExport, type Archive } from './export.ts'
import { FORMATS } from './formats.ts'
import { readQuery } from './query.ts'

export const EXPORT_PATH = '/export/'
const PATH = /^\/export\/requests\.([a-z]+)$/

/** Exports under way at once, in this process. */
const MOST_AT_ONCE = 4
const RETRY = { 'retry-after': '10' }
/** How long a client may read nothing at all. */
const STALL_MS = 30_000

export class Exports {
  readonly #reader: ReaderDoor
  readonly #archive: Archive
  readonly #filterType: GraphQLInputObjectType
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<void>>()

  /** @param filterType RequestFilter as the schema has it */
  constructor(reader: ReaderDoor, archive: Archive, filterType: GraphQLInputObjectType) {
    this.#reader = reader
    this.#archive = archive
    this.#filterType = filterType
  }

  /** How many are under way. */
  get running(): number {
    return this.#running.size
  }

  /** Answers a request for {@link EXPORT_PATH}. Never fails. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const origin = this.#reader.originOf(request)
    // An error that nobody listens to would end the process.
    response.on('error', () => undefined)
    const refusal = await this.#answer(request, response, origin)
    if (refusal === null || response.destroyed) return
    response.writeHead(refusal.status, { ...refusal.headers }).end(refusal.body)
  }

  /** Breaks off those under way, and takes no more. */
  async close(): Promise<void> {
    this.#stopping.abort(new Error('the control plane is stopping'))
    await Promise.allSettled(this.#running)
  }

  /** Null: it was answered. */
  async #answer(request: IncomingMessage, response: ServerResponse, origin: Origin): Promise<Refusal | null> {
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s)
    const ending = PATH.exec(path)?.[1] ?? ''
    const format = Object.hasOwn(FORMATS, ending) ? FORMATS[ending] : undefined
    if (format === undefined) return refuse(404, 'NOT_FOUND', 'there is no such export', origin)
    if (request.method !== 'GET')
      return refuse(405, 'BAD_USER_INPUT', 'an export is asked for by GET', origin, { allow: 'GET' })
    const viewer = await this.#reader.enter(request, origin, 'Export.requests')
    if (isRefusal(viewer)) return viewer
    const { signal } = this.#stopping
    try {
      const query = readQuery(new URLSearchParams(search), this.#filterType)
      if (signal.aborted) return stopping(origin)
      if (this.#running.size >= MOST_AT_ONCE)
        return refuse(503, 'INTERNAL_SERVER_ERROR', 'too many exports are under way, try again', origin, RETRY)
      const asked = { of: 'requests', ending, format, query, viewer, origin, stallMs: STALL_MS, signal }
      const running = runExport(this.#archive, asked, request, response)
      this.#running.add(running)
      await running.finally(() => this.#running.delete(running))
      return null
    } catch (error) {
      if (signal.aborted) return stopping(origin)
      if (!(error instanceof GraphQLError)) return failureOf(error, origin, this.#archive.log)
      return refusalOf(error.extensions['code'] === 'UNAUTHENTICATED' ? 401 : 400, error, origin)
    }
  }
}

function stopping(origin: Origin): Refusal {
  return refuse(503, 'INTERNAL_SERVER_ERROR', 'the control plane is stopping', origin, RETRY)
}

function refuse(
  status: number,
  code: string,
  message: string,
  origin: Origin,
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return refusalOf(status, { message, extensions: { code } }, origin, headers)
}
