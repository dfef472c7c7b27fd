/**
 * The load generator: HTTP on bare sockets, pre-built request bytes, as little parsing as shows that an answer is right.
 * Run as a process of its own; takes one job after another over IPC.
 */
import { connect, type Socket } from 'node:net'

import { AnswerReader } from './answer-reader.ts'
import type { Job, JobResult } from './messages.ts'

class Run {
  readonly #job: Job
  readonly #request: Buffer
  readonly #idle: Client[] = []
  readonly #clients: Client[] = []
  readonly #latencies: number[] = []
  /** When requests fell due that wait for a connection: their waiting counts. */
  readonly #late: number[] = []
  readonly #finish = Promise.withResolvers<void>()
  readonly #start = performance.now()
  #begun = 0
  #done = 0
  #error: string | null = null
  #sample = ''

  constructor(job: Job) {
    this.#job = job
    this.#request = Buffer.from(job.request, 'latin1')
  }

  async run(): Promise<JobResult> {
    for (let i = 0; i < this.#job.connections; i++) this.#clients.push(new Client(this, this.#job))
    await Promise.all(this.#clients.map((client) => client.connected))
    const started = performance.now()
    if (this.#job.ratePerSecond === undefined) {
      for (const client of this.#clients) this.#begin(client)
    } else {
      this.#idle.push(...this.#clients)
      this.#pace(this.#job.ratePerSecond)
    }
    await this.#finish.promise
    const seconds = (performance.now() - started) / 1_000
    for (const client of this.#clients) client.close()
    const latencies = this.#latencies.sort((a, b) => a - b)
    return { type: 'result', requests: this.#done, seconds, latencies, error: this.#error, sample: this.#sample }
  }

  get #over(): boolean {
    return this.#begun >= this.#job.maxRequests || performance.now() - this.#start > this.#job.seconds * 1_000
  }

  #begin(client: Client, since = performance.now()): void {
    this.#begun++
    client.send(this.#request, since)
  }

  #pace(rate: number): void {
    const start = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      const due = ((now - start) * rate) / 1_000
      while (this.#begun + this.#late.length < due && !this.#over) {
        const client = this.#idle.pop()
        if (client) this.#begin(client)
        else this.#late.push(now)
      }
      if (this.#over || this.#error) clearInterval(timer)
      this.#settle()
    }, 1)
  }

  answered(client: Client, latencyMs: number, body: string | null): void {
    this.#done++
    if (body !== null && this.#sample === '') this.#sample = body
    if (this.#job.ratePerSecond !== undefined) {
      this.#latencies.push(latencyMs)
      const since = this.#late.shift()
      if (since === undefined) this.#idle.push(client)
      else this.#begin(client, since)
    } else if (!this.#over) {
      this.#begin(client)
    }
    this.#settle()
  }

  #settle(): void {
    if (this.#over && this.#begun === this.#done && this.#late.length === 0) this.#finish.resolve()
  }

  fail(reason: string): void {
    this.#error ??= reason
    this.#finish.resolve()
  }
}

class Client {
  readonly connected: Promise<void>
  readonly #socket: Socket
  readonly #run: Run
  readonly #reader: AnswerReader
  #since = 0
  #first = true
  #closing = false

  constructor(run: Run, job: Job) {
    this.#run = run
    this.#reader = new AnswerReader(job.expectedBytes)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.connected = promise
    this.#socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true })
    this.#socket.once('connect', resolve)
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes))
    this.#socket.on('error', (error) => {
      run.fail(error.message)
      resolve()
    })
    this.#socket.on('close', () => {
      if (!this.#closing) run.fail('the connection was closed')
      resolve()
    })
  }

  /** @param since from when on its latency counts */
  send(request: Buffer, since: number): void {
    this.#reader.reset(this.#first)
    this.#since = since
    this.#socket.write(request)
  }

  #read(bytes: Buffer): void {
    const state = this.#reader.read(bytes)
    if (state === 'more') return
    if (state !== 'done') return this.#run.fail(state.error)
    const body = this.#first ? this.#reader.body : null
    this.#first = false
    this.#run.answered(this, performance.now() - this.#since, body)
  }

  close(): void {
    this.#closing = true
    this.#socket.destroy()
  }
}

process.on('message', (job: Job) => {
  new Run(job).run().then(
    (result) => process.send!(result),
    (error: unknown) =>
      process.send!({ type: 'result', requests: 0, seconds: 0, latencies: [], error: String(error), sample: '' }),
  )
})
process.on('disconnect', () => process.exit())
process.send!({ type: 'ready', url: '' })
