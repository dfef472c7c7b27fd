/**
 * The load generator: HTTP on bare sockets, pre-built request bytes, as little parsing as shows that an answer is right.
 * Run as a process of its own; takes one job after another over IPC.
 */
import { connect, type Socket } from 'node:net'

import { AnswerReader } from './answer-reader.ts'
import { VARYING_USER, type Job, type JobResult } from './messages.ts'

const USER_DIGITS = 6
let user = Math.floor(Math.random() * 10 ** USER_DIGITS)

class Run {
  readonly #job: Job
  readonly #request: Buffer
  /** Where the digits of a user stand that is another one in each request; -1: nowhere. */
  readonly #userAt: number
  readonly #idle: Client[] = []
  readonly #clients: Client[] = []
  readonly #latencies: number[] = []
  /** When requests fell due that wait for a connection: their waiting counts. */
  readonly #late: number[] = []
  readonly #finish = Promise.withResolvers<void>()
  readonly #start = performance.now()
  #begun = 0
  #done = 0
  #failures = 0
  #error: string | null = null
  #sample = ''

  constructor(job: Job) {
    this.#job = job
    this.#request = Buffer.from(job.request, 'latin1')
    const at = job.request.indexOf(VARYING_USER)
    this.#userAt = at < 0 ? -1 : at + VARYING_USER.length - USER_DIGITS
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
    return {
      type: 'result',
      requests: this.#done,
      failures: this.#failures,
      seconds,
      latencies,
      error: this.#error,
      sample: this.#sample,
    }
  }

  get #over(): boolean {
    return this.#begun >= this.#job.maxRequests || performance.now() - this.#start > this.#job.seconds * 1_000
  }

  #begin(client: Client, since = performance.now()): void {
    this.#begun++
    client.send(this.#nextRequest(), since)
  }

  #nextRequest(): Buffer {
    if (this.#userAt < 0) return this.#request
    user = (user + 1) % 10 ** USER_DIGITS
    // A copy: the socket may still be sending the one before.
    const request = Buffer.from(this.#request)
    request.write(String(user).padStart(USER_DIGITS, '0'), this.#userAt, 'latin1')
    return request
  }

  #pace(rate: number): void {
    const start = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      const due = ((now - start) * rate) / 1_000
      while (this.#begun + this.#late.length < due && !this.#over) {
        // The one that has rested longest: none is left alone until the gateway closes it.
        const client = this.#idle.shift()
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
    if (this.#job.ratePerSecond !== undefined) this.#latencies.push(latencyMs)
    this.#next(client)
  }

  /** The job ends, if the gateway can't be reached or any wrong answer is one too many. */
  fail(reason: string): void {
    this.#error ??= reason
    this.#finish.resolve()
  }

  /** A connection is of no use any more. @param asked whether it owes an answer */
  lost(client: Client, reason: string, asked: boolean): void {
    if (!this.#job.tolerant) return this.fail(reason)
    client.close()
    if (asked) this.#failures++
    const fresh = new Client(this, this.#job)
    this.#clients[this.#clients.indexOf(client)] = fresh
    const idle = this.#idle.indexOf(client)
    if (idle >= 0) this.#idle.splice(idle, 1)
    void fresh.connected.then(() => this.#next(fresh))
  }

  #next(client: Client): void {
    if (this.#job.ratePerSecond !== undefined) {
      const since = this.#late.shift()
      if (since === undefined) this.#idle.push(client)
      else this.#begin(client, since)
    } else if (!this.#over) {
      this.#begin(client)
    }
    this.#settle()
  }

  #settle(): void {
    if (this.#over && this.#begun === this.#done + this.#failures && this.#late.length === 0) this.#finish.resolve()
  }
}

class Client {
  readonly connected: Promise<void>
  readonly #socket: Socket
  readonly #run: Run
  readonly #reader: AnswerReader
  #since = 0
  #first = true
  /** Whether an answer is owed. */
  #asked = false
  #open = false
  #closing = false

  constructor(run: Run, job: Job) {
    this.#run = run
    this.#reader = new AnswerReader(job.expectedBytes)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.connected = promise
    this.#socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true })
    this.#socket.once('connect', () => {
      this.#open = true
      resolve()
    })
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes))
    this.#socket.on('error', (error) => this.#lost(error.message))
    this.#socket.on('close', () => this.#lost('the connection was closed'))
  }

  /** @param since from when on its latency counts */
  send(request: Buffer, since: number): void {
    this.#reader.reset(this.#first)
    this.#since = since
    this.#asked = true
    this.#socket.write(request)
  }

  #read(bytes: Buffer): void {
    const state = this.#reader.read(bytes)
    if (state === 'more') return
    if (state !== 'done') return this.#lost(state.error)
    this.#asked = false
    const body = this.#first ? this.#reader.body : null
    this.#first = false
    this.#run.answered(this, performance.now() - this.#since, body)
  }

  #lost(reason: string): void {
    if (this.#closing) return
    this.#closing = true
    if (this.#open) this.#run.lost(this, reason, this.#asked)
    else this.#run.fail(reason)
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
      process.send!({
        type: 'result',
        requests: 0,
        failures: 0,
        seconds: 0,
        latencies: [],
        error: String(error),
        sample: '',
      }),
  )
})
process.on('disconnect', () => process.exit())
process.send!({ type: 'ready', url: '' })
