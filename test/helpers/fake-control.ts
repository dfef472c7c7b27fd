/**
 * A control plane that is a real GraphQL server, over HTTP and over WebSocket (graphql-ws), with the real one's schema,
 * and misbehaves on purpose. It keeps nothing and asks nobody for a key: proxies are told what the test publishes.
 */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  newId,
  partsOf,
  SNAPSHOT_FORMAT,
  wholeTransfer,
  type CarriedOut,
  type IngestResult,
  type Instruction,
  type LiveEvent,
  type ProxyReport,
  type Question,
  type QuestionAnswer,
  type RequestRecord,
  type Snapshot,
  type SnapshotEvent,
  type SnapshotPart,
  type SnapshotPosition,
  type UsedOf,
  type UsedSubject,
} from '@millrace/shared'
import { buildSchema, graphql } from 'graphql'
import { handleProtocols } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'))

/** Where a WebSocket gets stuck. */
export type Hang =
  /** TCP is accepted, the upgrade not answered. */
  | 'upgrade'
  /** The socket is open, graphql-ws's `connection_init` not acknowledged. */
  | 'acknowledgement'
  /** The subscription is taken, and no snapshot ever comes. */
  | 'snapshot'

export class FakeControl implements AsyncDisposable {
  /** Where the WebSockets from now on hang; over HTTP it answers all the same. */
  hangs: Hang | null = null
  /** What becomes of records from now on. */
  ingest: 'stored' | 'refused' | 'unanswered' = 'stored'
  /** How long that takes. */
  ingestMs = 0
  /** Calls with such a record fail. */
  failsOn: ((record: RequestRecord) => boolean) | null = null
  /** How many WebSockets were asked for, and how many of them got stuck. */
  upgrades = 0
  stuck = 0
  /** All that came, repeated ones too. */
  readonly records: RequestRecord[] = []
  readonly reports: ProxyReport[] = []
  /** What was told of instructions, repeated ones too; and what becomes of it from now on. */
  readonly carriedOut: CarriedOut[] = []
  telling: 'taken' | 'refused' = 'taken'
  /** What was told of requests while they were served; and what becomes of it from now on. */
  readonly liveEvents: LiveEvent[] = []
  reporting: 'taken' | 'refused' = 'taken'
  /** All answers to questions that came, repeated ones too. */
  readonly answers: QuestionAnswer[] = []
  /** Where each proxy stood that has subscribed to snapshots; null: nowhere. */
  readonly positions: (SnapshotPosition | null)[] = []
  /** What control knows to be used, by id; of others nothing is. */
  readonly used = new Map<string, Pick<UsedOf, 'spentUsd' | 'requests'>>()
  /** The subjects that this was asked of, each time. */
  readonly usedAsked: string[] = []
  /** How many calls brought records. */
  ingests = 0
  readonly url: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #webSockets = new WebSocketServer({ noServer: true, handleProtocols })
  #away = false
  readonly #published = new Channel<readonly SnapshotEvent[]>()
  readonly #instructed = new Channel<Instruction>()
  readonly #asked = new Channel<Question>()
  readonly #wanted = new Channel<boolean>()
  readonly #captures = new Channel<unknown>()

  constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const subscription = {
      snapshots: (after: After) => this.#snapshots(after),
      instructions: () => this.#instructions(),
      questions: () => this.#questions(),
      liveWanted: () => this.#liveWanted(),
      debugCaptures: () => this.#debugCaptures(),
    }
    useServer({ schema, roots: { subscription } }, this.#webSockets)
    server.on('connection', (socket) => this.#track(socket))
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    server.on('request', (request, response) => void this.#answer(request, response))
  }

  /**
   * Sends a snapshot, in parts, or what else is given as it is, to all who are subscribed. Who comes later gets what was
   * published last, wherever it stands.
   * @param documents a snapshot; a part; or all parts of a transfer
   */
  publish(...documents: readonly unknown[]): void {
    const parts = documents.flatMap((document) =>
      isSnapshot(document) ? [...partsOf(wholeTransfer(document, MARK))] : [document],
    )
    this.#published.push(parts.map((document) => ({ revision: revisionOf(document), document })))
  }

  /** Asks something of all who are subscribed; who comes later is told all that was ever asked. */
  instruct(instruction: Instruction): void {
    this.#instructed.push(instruction)
  }

  /** Asks something of all who are subscribed. @returns the question's id */
  ask(question: Partial<Question> = {}): string {
    const id = newId()
    this.#asked.push({ id, request: null, projects: null, cancel: false, test: null, ...question })
    return id
  }

  /** Whether anybody wants to hear of requests while they are served: nobody does until this was said. */
  wantLive(wanted: boolean): void {
    this.#wanted.push(wanted)
  }

  /** Sends a text that is no message of graphql-ws on all open WebSockets. */
  babble(text: string): void {
    for (const socket of this.#webSockets.clients) socket.send(text)
  }

  /** Is gone: all connections, those that come too, are reset. */
  leave(): void {
    this.#away = true
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  comeBack(): void {
    this.#away = false
  }

  #track(socket: Socket): void {
    // Nor does it keep a failed test's process from ending.
    socket.unref()
    socket.on('error', () => undefined)
    if (this.#away) return void socket.resetAndDestroy()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.upgrades++
    const { hangs } = this
    if (hangs === 'upgrade') return void this.stuck++
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => undefined)
      if (hangs === 'acknowledgement') this.stuck++
      else this.#webSockets.emit('connection', webSocket, request)
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { query, variables } = (await json(request)) as { query: string; variables: Record<string, unknown> }
      const rootValue = {
        ingestRecords: ({ records }: { records: RequestRecord[] }) => this.#ingest(records),
        used: ({ subjects }: { subjects: UsedSubject[] }) => this.#usedOf(subjects),
        carriedOut: (done: CarriedOut) => this.#told(done),
        answerQuestion: (answer: QuestionAnswer) => this.answers.push(answer) > 0,
        reportLive: ({ events }: { events: LiveEvent[] }) => this.#report(events),
        reportProxy: ({ report }: { report: ProxyReport }) => this.reports.push(report) > 0,
      }
      const result = await graphql({ schema, source: query, variableValues: variables, rootValue })
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result))
    } catch {
      // The proxy went in the middle.
      response.destroy()
    }
  }

  #usedOf(subjects: readonly UsedSubject[]): UsedOf[] {
    this.usedAsked.push(...subjects.map(({ id }) => id))
    return subjects.map((subject) => ({ ...subject, spentUsd: '0', requests: 0, ...this.used.get(subject.id) }))
  }

  #told(done: CarriedOut): boolean {
    this.carriedOut.push(done)
    if (this.telling === 'refused') throw new Error('refused')
    return true
  }

  #report(events: LiveEvent[]): number {
    if (this.reporting === 'refused') throw new Error('refused')
    this.liveEvents.push(...events)
    return events.length
  }

  async #ingest(records: RequestRecord[]): Promise<IngestResult> {
    this.ingests++
    if (this.ingestMs > 0) await sleep(this.ingestMs)
    if (this.failsOn !== null && records.some(this.failsOn)) throw new Error('it fails on one of these')
    if (this.ingest === 'unanswered') return new Promise(() => undefined)
    if (this.ingest === 'refused') return { stored: 0, duplicates: 0, refused: records.length }
    this.records.push(...records)
    return { stored: records.length, duplicates: 0, refused: 0 }
  }

  async *#snapshots({ after = null }: After): AsyncGenerator<{ snapshots: SnapshotEvent }> {
    this.positions.push(after)
    if (this.hangs === 'snapshot') {
      this.stuck++
      await new Promise(() => undefined)
    }
    for await (const transfer of this.#published.from(this.#published.length - 1))
      for (const snapshots of transfer) yield { snapshots }
  }

  async *#instructions(): AsyncGenerator<{ instructions: Instruction }> {
    for await (const instructions of this.#instructed.from(0)) yield { instructions }
  }

  async *#questions(): AsyncGenerator<{ questions: Question }> {
    for await (const questions of this.#asked.from(this.#asked.length)) yield { questions }
  }

  async *#liveWanted(): AsyncGenerator<{ liveWanted: boolean }> {
    for await (const liveWanted of this.#wanted.from(this.#wanted.length - 1)) yield { liveWanted }
  }

  async *#debugCaptures(): AsyncGenerator<{ debugCaptures: unknown }> {
    for await (const debugCaptures of this.#captures.from(this.#captures.length - 1)) yield { debugCaptures }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

interface After {
  readonly after?: SnapshotPosition | null
}

/** By which a proxy knows this control's revisions again. */
const MARK = 'fake'

/** Whether it can be cut into parts. What is in its lists may be malformed; a part itself is none. */
function isSnapshot(document: unknown): document is Snapshot {
  const { format, index, ...lists } = Object(document) as Partial<Record<keyof SnapshotPart, unknown>>
  const names = ['providers', 'aliases', 'projects', 'tokens'] as const
  return format === SNAPSHOT_FORMAT && index === undefined && names.every((name) => Array.isArray(lists[name]))
}

function revisionOf(document: unknown): number {
  const { revision } = Object(document) as { revision?: unknown }
  return typeof revision === 'number' ? revision : 0
}

/** What was said so far, and what will be. */
class Channel<T> {
  readonly #said: T[] = []
  #more = Promise.withResolvers<void>()

  get length(): number {
    return this.#said.length
  }

  push(value: T): void {
    this.#said.push(value)
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }

  async *from(index: number): AsyncGenerator<T> {
    for (let next = Math.max(0, index); ; next++) {
      while (next >= this.#said.length) await this.#more.promise
      yield this.#said[next]!
    }
  }
}

/** Starts one on a free port. */
export async function startFakeControl(): Promise<FakeControl> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return new FakeControl(server)
}
