/** Connections that are on their way from the primary to a worker while something becomes of either. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { beforeEach, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

import { uniqueName } from '../helpers/gateway.ts'
import { send, type OpenAnswer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { isAlive } from '../start/process-table.ts'
import { statuses } from './limits/limited.ts'
import { allReady, readyz, THREE, workersOf } from './workers/crew.ts'

const scene = useScene({ proxyEnv: { ...THREE, MILLRACE_DRAIN_SECONDS: '20' } })

beforeEach(async () => {
  if (!scene.gateway.proxy.running) await scene.gateway.proxy.restart()
  await allReady(scene.gateway.proxy)
  await scene.gateway.untilServed()
})

const many = <T>(count: number, ask: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, () => ask()))

async function streams(model: string, count: number): Promise<OpenAnswer[]> {
  return many(count, async () => {
    const answer = await scene.open(scene.body(model, { stream: true }))
    await answer.until('data:')
    return answer
  })
}

suite('connections on their way to a worker', () => {
  test('are served by the others, whole, when it is told to end', async () => {
    const [one] = workersOf(scene.gateway.proxy)
    process.kill(one!, 'SIGSTOP')
    const asked = many(30, () => scene.chat(scene.body()))
    // Those of the other workers are answered; the rest wait for the one that does nothing.
    await waitFor(() => scene.upstream.requests.length >= 20, { what: 'the requests of the other workers' })
    await delay(200)
    process.kill(one!, 'SIGTERM')
    process.kill(one!, 'SIGCONT')
    const counts = statuses(await within(30_000, 'the answers', asked))
    // What it had taken before it read the signal may be refused.
    assert.ok((counts[200] ?? 0) >= 28, JSON.stringify(counts))
    await waitFor(() => !isAlive(one!), { what: 'its end', timeoutMs: 30_000 })
    await waitFor(() => workersOf(scene.gateway.proxy).length === 3, { what: 'another worker', timeoutMs: 30_000 })
  })

  test('do it no harm when the primary is killed: it finishes its streams', async () => {
    const slow = await scene.behaving(uniqueName('slow'), behaviours.answer({ gapMs: 500 }))
    const [one] = workersOf(scene.gateway.proxy)
    const open = await streams(slow, 6)
    process.kill(one!, 'SIGSTOP')
    const port = scene.gateway.proxy.port
    const sockets = Array.from({ length: 12 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    await delay(200)
    const { pid } = scene.gateway.proxy
    // It is over when its workers have ended too.
    const killed = scene.gateway.proxy.kill9()
    await waitFor(() => !isAlive(pid), { what: 'the end of the primary' })
    process.kill(one!, 'SIGCONT')
    for (const answer of open) {
      const { body, complete } = await within(30_000, 'the end of a stream', answer.rest())
      assert.ok(complete)
      assert.match(body.toString(), /data: \[DONE\]\n\n$/)
    }
    for (const socket of sockets) socket.destroy()
    await within(30_000, 'the end of its workers', killed)
  })
})

suite('a worker that is told to end while it has a stream', () => {
  test('sends its other clients to the other workers', async () => {
    const endless = await scene.behaving(uniqueName('endless'), behaviours.stall('mid-body'))
    const open = await streams(endless, 9)
    const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    const headers = { authorization: `Bearer ${scene.gateway.token}`, 'content-type': 'application/json' }
    const ask = (agent: Agent) =>
      send(scene.chatUrl, { headers, body: JSON.stringify(scene.body()), agent }).then(({ status }) => status)
    assert.deepEqual(await Promise.all(agents.map(ask)), [200, 200, 200, 200, 200, 200])
    const [one] = workersOf(scene.gateway.proxy)
    process.kill(one!, 'SIGTERM')
    await waitFor(async () => (await readyz(scene.gateway.proxy)).workers.ready === 2, { what: 'it to drain' })
    const first = await Promise.all(agents.map(ask))
    assert.ok(first.includes(503), 'two of six are with it')
    assert.deepEqual(await Promise.all(agents.map(ask)), [200, 200, 200, 200, 200, 200])
    for (const answer of open) answer.abort()
    for (const agent of agents) agent.destroy()
    await waitFor(() => !isAlive(one!), { what: 'its end', timeoutMs: 30_000 })
  })
})

suite('a worker whose primary goes while it starts', () => {
  for (const afterMs of [0, 20, 100, 300]) {
    test(`ends, after ${afterMs} ms`, async () => {
      const child = fork('packages/proxy/dist/worker-main.js', [], {
        serialization: 'advanced',
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: { PATH: process.env['PATH'], MILLRACE_WORKERS: '3' },
      })
      let said = ''
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text))
      const exited = once(child, 'exit')
      try {
        await delay(afterMs)
        child.disconnect()
        assert.deepEqual(await within(20_000, 'its end', exited), [0, null])
        assert.equal(said, '')
      } finally {
        child.kill('SIGKILL')
      }
    })
  }
})
