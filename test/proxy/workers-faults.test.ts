/** What becomes of a proxy of several workers when one of its processes is killed, or it is told to end. */
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, beforeEach, suite, test } from 'node:test'

import { startGateway, uniqueName, type Gateway } from '../helpers/gateway.ts'
import { open, send, type Answer, type OpenAnswer } from '../helpers/http.ts'
import type { StartError } from '../helpers/process.ts'
import { startProxy } from '../helpers/proxy.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { isAlive } from '../start/process-table.ts'
import { codeOf, EXACT, Limited, statuses } from './limits/limited.ts'
import { allReady, metricValue, readyz, THREE, workersOf } from './workers/crew.ts'

const stack = new AsyncDisposableStack()
let upstream: Upstream
let gateway: Gateway
let limited: Limited
/** Answers at once. */
let model: string
/** Streams that never end by themselves. */
let endless: string

before(async () => {
  upstream = stack.use(await startUpstream())
  gateway = stack.use(await startGateway({ proxyEnv: { ...THREE, MILLRACE_DRAIN_SECONDS: '10' } }))
  limited = new Limited(gateway, upstream)
  model = await limited.priced()
  endless = await limited.priced(behaviours.stall('mid-body'))
})
after(() => stack.disposeAsync())
beforeEach(async () => {
  if (!gateway.proxy.running) await gateway.proxy.restart()
  await allReady(gateway.proxy)
  await gateway.untilServed()
})

const request = (of: string, token = gateway.token, more: object = {}) => ({
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model: of, messages: [{ role: 'user', content: 'x' }], ...more }),
})
const chatUrl = (): string => `${gateway.baseUrl}/chat/completions`
const chat = (token = gateway.token): Promise<Answer> => send(chatUrl(), request(model, token))

async function stream(token = gateway.token, of = endless): Promise<OpenAnswer> {
  const answer = await open(chatUrl(), request(of, token, { stream: true, ...EXACT }))
  if (answer.status === 200) await answer.until('data:')
  return answer
}

/** Goes on asking until it is told to stop; each request on a connection of its own. */
function load(): { end: () => Promise<{ answered: number; broken: number }> } {
  const stopping = new AbortController()
  let answered = 0
  let broken = 0
  const asking = Array.from({ length: 6 }, async () => {
    while (!stopping.signal.aborted) {
      const answer = await within(20_000, 'an answer', chat()).catch((error: NodeJS.ErrnoException) => {
        if (error.code === undefined) throw error
        return null
      })
      if (answer?.status === 200 && answer.complete) answered++
      else broken++
    }
  })
  return {
    async end() {
      stopping.abort()
      await Promise.all(asking)
      return { answered, broken }
    },
  }
}

suite('a worker that is killed', () => {
  test('takes its own requests with it and no others, and another takes its place', async () => {
    const [victim, ...others] = workersOf(gateway.proxy)
    const streams = await Promise.all(Array.from({ length: 9 }, () => stream()))
    const under = load()
    process.kill(victim!, 'SIGKILL')
    const cut = streams.map((answer) => answer.rest().then(({ complete }) => !complete))
    await waitFor(() => workersOf(gateway.proxy).length === 3, { what: 'another worker' })
    await allReady(gateway.proxy)
    const { answered, broken } = await under.end()
    assert.ok(answered > 20, `${answered} answered`)
    assert.ok(broken <= 6, `${broken} were with the victim`)
    const what = "the others' streams to go on"
    await waitFor(async () => (await metricValue(gateway.proxy, 'millrace_in_flight')) === 6, { what })
    for (const answer of streams) answer.abort()
    await Promise.all(cut)
    for (const pid of others) assert.ok(isAlive(pid))
    assert.equal(readyzOf(await readyz(gateway.proxy)), '3 of 3')
  })

  test('gives back the places and reservations that it held; what was spent is recorded', async () => {
    const places = await limited.token({ limits: { maxConcurrent: 3 } })
    const budget = await limited.token({ budget: { limitUsd: '0.021', period: 'TOTAL' } })
    const held = await Promise.all(Array.from({ length: 3 }, () => stream(places.secret)))
    const paid = await Promise.all(Array.from({ length: 3 }, () => stream(budget.secret)))
    assert.equal((await chat(places.secret)).status, 429)
    assert.equal((await send(chatUrl(), request(model, budget.secret, EXACT))).status, 429)
    for (const pid of workersOf(gateway.proxy)) process.kill(pid, 'SIGKILL')
    await Promise.all([...held, ...paid].map((answer) => answer.rest()))
    await waitFor(async () => (await chat(places.secret)).status === 200, { timeoutMs: 30_000 })
    assert.deepEqual(statuses(await Promise.all([1, 2, 3].map(() => chat(places.secret)))), { 200: 3 })
    const refused = await send(chatUrl(), request(model, budget.secret, EXACT))
    assert.equal(refused.status, 429, 'what was reserved counts in full')
    const spent = await waitFor(async () => {
      const { budget: told } = await limited.spent(budget.id)
      return Number(told?.spentUsd) > 0.02 && told!.spentUsd
    })
    assert.equal(Number(spent), 0.021)
  })

  test('gives back its places at providers', async () => {
    const name = uniqueName('one-place')
    const provider = await gateway.addProvider(upstream.baseUrl, {
      maxConcurrency: 1,
      timeouts: { connect: 60_000 },
    })
    await gateway.addAlias(name, [{ provider, providerModel: name }])
    await gateway.untilServed()
    const answers = await waitFor(() => answersWithoutHolder(name), { timeoutMs: 120_000, what: 'a worker to be left' })
    assert.ok(
      answers.some((answer) => answer?.status === 200),
      'those in other workers are served',
    )
    assert.equal((await send(chatUrl(), request(name))).status, 200)
  })

  /**
   * Holds the one place of a provider, has others wait for it in all workers, and kills the holder's worker, whichever
   * that is.
   * @returns what became of the others; false if it was the last of the workers, so that none of the others is left
   */
  async function answersWithoutHolder(name: string): Promise<readonly (Answer | null)[] | false> {
    await allReady(gateway.proxy)
    upstream.on(name, behaviours.stall('mid-body'))
    const holder = await stream(gateway.token, name)
    upstream.on(name, behaviours.answer())
    const waiting = Array.from({ length: 6 }, () => send(chatUrl(), request(name)).catch(() => null))
    const asked = upstream.requests.length
    await chat()
    assert.equal(upstream.requests.length, asked + 1, 'none of them has a place')
    let left = 3
    for (const pid of workersOf(gateway.proxy)) {
      process.kill(pid, 'SIGKILL')
      left--
      await waitFor(() => !isAlive(pid), { what: 'its end' })
      if (await settled(holder)) break
    }
    const answers = await within(60_000, 'the answers', Promise.all(waiting))
    return left > 0 && answers
  }

  test('does not take the port with it, even if it is the last', async () => {
    for (const pid of workersOf(gateway.proxy)) process.kill(pid, 'SIGKILL')
    const answers = await within(60_000, 'the answers', Promise.all(Array.from({ length: 12 }, () => chat())))
    assert.deepEqual(statuses(answers), { 200: 12 })
  })

  test('ends in good order when it is told to, and is replaced', async () => {
    const [one] = workersOf(gateway.proxy)
    process.kill(one!, 'SIGTERM')
    await waitFor(() => !isAlive(one!), { what: 'its end' })
    await waitFor(() => workersOf(gateway.proxy).length === 3, { what: 'another worker' })
    assert.deepEqual(statuses(await Promise.all(Array.from({ length: 12 }, () => chat()))), { 200: 12 })
  })
})

suite('a primary that is killed', () => {
  test('is followed by its workers, and its port is free', async () => {
    const workers = workersOf(gateway.proxy)
    await gateway.proxy.kill9()
    await waitFor(() => !workers.some(isAlive), { what: 'the end of the workers', timeoutMs: 20_000 })
    await gateway.proxy.restart()
    await allReady(gateway.proxy)
    assert.equal((await chat()).status, 200)
  })
})

suite('a primary that does nothing', () => {
  test('keeps only those waiting whose limits it counts, and not for long', async () => {
    const { secret } = await limited.token({ limits: { maxConcurrent: 1 } })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (token = gateway.token) => send(chatUrl(), { ...request(model, token), agent })
    assert.equal((await ask()).status, 200)
    gateway.proxy.signal('SIGSTOP')
    try {
      const refused = await within(10_000, 'a refusal', ask(secret))
      assert.deepEqual([refused.status, codeOf(refused)], [503, 'limits_unavailable'])
      assert.equal(refused.headers['retry-after'], '1')
      assert.equal((await within(5_000, 'an answer', ask())).status, 200)
      const at = (path: string) => send(`${gateway.proxy.url}${path}`, { method: 'GET', agent })
      const readiness = await within(10_000, 'readiness', at('/readyz'))
      assert.equal(readiness.status, 503)
      const { ready, problem } = JSON.parse(readiness.text) as Awaited<ReturnType<typeof readyz>>
      assert.deepEqual([ready, problem], [false, 'the primary does not answer'])
      const metrics = await within(10_000, 'metrics', at('/metrics'))
      assert.deepEqual([metrics.status, metrics.headers['retry-after']], [503, '1'])
    } finally {
      gateway.proxy.signal('SIGCONT')
    }
    await waitFor(async () => (await ask(secret)).status === 200, {
      what: 'what was asked for meanwhile to be given back',
    })
    agent.destroy()
  })
})

suite('a proxy of several workers that is told to end', () => {
  test('finishes the streams of all of them, and refuses what is new', async () => {
    const { promise, resolve: release } = Promise.withResolvers<void>()
    const slow = await limited.priced(behaviours.halfway(promise))
    const answers = await Promise.all(Array.from({ length: 6 }, () => stream(gateway.token, slow)))
    const workers = workersOf(gateway.proxy)
    gateway.proxy.signal('SIGTERM')
    const refused = await waitFor(async () => {
      const one = await chat()
      return one.status !== 200 && one
    })
    assert.equal(refused.status, 503)
    release()
    for (const answer of answers) {
      const { body, complete } = await answer.rest()
      assert.ok(complete)
      assert.match(body.toString(), new RegExp(`${WORDS.at(-1)}.*data: \\[DONE\\]\\n\\n$`, 's'))
    }
    assert.deepEqual(await within(20_000, 'its end', gateway.proxy.exited), { code: 0, signal: null })
    assert.ok(!workers.some(isAlive))
    for (const answer of answers)
      assert.equal((await gateway.record(String(answer.headers['x-request-id']))).status, 'SUCCESS')
  })

  test('ends at once when it is told so again', async () => {
    const answer = await stream()
    const workers = workersOf(gateway.proxy)
    gateway.proxy.signal('SIGTERM')
    await waitFor(async () => (await chat()).status === 503)
    gateway.proxy.signal('SIGTERM')
    assert.deepEqual(await within(5_000, 'its end', gateway.proxy.exited), { code: 1, signal: null })
    await waitFor(() => !workers.some(isAlive), { what: 'the end of the workers' })
    answer.abort()
  })
})

suite('a port that is in use', () => {
  test('is said in one line', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const started = startProxy({
      controlUrl: gateway.control.url,
      proxyKey: gateway.control.proxyKey,
      dataDir: gateway.control.dataDir,
      env: { ...THREE, MILLRACE_PROXY_PORT: String(port) },
    })
    await assert.rejects(started, ({ exit, stderr }: StartError) => {
      assert.deepEqual(exit, { code: 1, signal: null })
      assert.equal(stderr, `millrace: MILLRACE_PROXY_PORT: cannot listen on 127.0.0.1:${port} (EADDRINUSE)\n`)
      return true
    })
    server.close()
  })
})

function readyzOf({ workers: { ready, of } }: Awaited<ReturnType<typeof readyz>>): string {
  return `${ready} of ${of}`
}

/** Whether a stream that never ends has been cut, a moment later. */
async function settled(answer: OpenAnswer): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 200))
  return answer.stream.destroyed || answer.stream.closed
}
