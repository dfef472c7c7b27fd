/** The control plane is killed in mid-traffic: no answer, no configuration and no record is lost. */
import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { startGateway, uniqueName, type Gateway } from '../helpers/gateway.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'

const stack = new AsyncDisposableStack()
let upstream: Upstream
let gateway: Gateway
let model: string

before(async () => {
  upstream = stack.use(await startUpstream())
  gateway = stack.use(await startGateway())
  model = await gateway.serve(upstream.baseUrl)
  upstream.on('upstream-model', behaviours.answer({ gapMs: 15 }))
})
after(() => stack.disposeAsync())

/** Keeps a few clients asking, half of them for streams, until told to stop. Returns the request ids that were answered whole. */
function traffic(clients: number) {
  const ids: string[] = []
  const failures: string[] = []
  const stopping = new AbortController()
  const client = async (number: number): Promise<void> => {
    for (let i = 0; !stopping.signal.aborted; i++) {
      const id = uniqueName(`away-${number}-${i}`)
      const stream = (number + i) % 2 === 0
      try {
        const answer = await gateway.chat(model, { stream }, { 'x-request-id': id })
        const text = await answer.text()
        if (answer.status !== 200 || !text.includes(stream ? '[DONE]' : WORDS.join('')))
          failures.push(`${answer.status} ${text}`)
        ids.push(id)
      } catch (error) {
        failures.push(String((error as Error).cause ?? error))
      }
      await sleep(5)
    }
  }
  const all = Array.from({ length: clients }, (_, number) => client(number))
  return {
    ids,
    failures,
    async stop(): Promise<void> {
      stopping.abort()
      await Promise.all(all)
    },
  }
}

test('kill -9 of control under load: no request fails, and each has exactly one record in the end', async () => {
  const revision = await gateway.revision()
  const load = traffic(8)
  await waitFor(() => load.ids.length > 50, { what: 'traffic' })
  await gateway.control.kill9()
  const atKill = load.ids.length
  await waitFor(() => load.ids.length > atKill + 100, { what: 'traffic without control', timeoutMs: 30_000 })
  await gateway.control.restart()
  const atRestart = load.ids.length
  await waitFor(() => load.ids.length > atRestart + 50, { what: 'traffic after the restart', timeoutMs: 30_000 })
  await load.stop()

  assert.deepEqual(load.failures, [])
  assert.ok((await gateway.revision()) >= revision, 'the configuration is still there')
  // What was on its way at the kill has been sent again, and stored once.
  await gateway.assertOneRecordEach(load.ids)
})

test('a change made after the restart reaches the proxy, which has connected again by itself', async () => {
  const alias = await gateway.serve(upstream.baseUrl)
  assert.equal((await gateway.chat(alias)).status, 200)
})

test('a proxy that starts while control is away serves from disk what it last knew', async () => {
  const { id, secret } = await gateway.addToken()
  await gateway.control.gql('mutation ($id: ID!) { revokeToken(id: $id) { status } }', { id })
  // A token that has not come yet is refused, too.
  await gateway.untilServed()
  await waitFor(async () => (await gateway.chat(model, {}, { authorization: `Bearer ${secret}` })).status === 401)
  const revision = await gateway.revision()

  await gateway.control.kill9()
  await gateway.proxy.stop()
  await gateway.proxy.restart()
  const answer = await waitFor(async () => {
    const one = await gateway.chat(model)
    return one.status !== 503 && one
  })
  assert.equal(answer.status, 200, await answer.text())
  assert.equal(Number(answer.headers.get('x-millrace-revision')), revision)
  const revoked = await gateway.chat(model, {}, { authorization: `Bearer ${secret}` })
  assert.equal(revoked.status, 401, 'a revoked token stays so')
  assert.equal((await gateway.fetch('/readyz')).status, 200)

  await gateway.control.restart()
  await gateway.record(answer)
})

test(
  'what it keeps on disk is for its owner alone, and holds no secret in clear',
  { skip: process.platform === 'win32' && 'Windows has no file modes' },
  async () => {
    const { dataDir } = gateway.control
    const kept: string[] = []
    for (const name of await readdir(dataDir, { recursive: true })) {
      const path = join(dataDir, name)
      // What waited there to be sent may just have been.
      const about = await stat(path).catch(() => null)
      if (!about?.isFile()) continue
      // The database's own files; the folder around them is closed.
      if (/base|global|pg_/.test(name)) continue
      const text = await readFile(path, 'latin1').catch(() => '')
      if (!text.includes(model)) continue
      kept.push(name)
      assert.equal(about.mode & 0o777, 0o600, name)
      for (const secret of [gateway.token, gateway.control.adminKey, 'sk-upstream-0123456789abcdef']) {
        assert.ok(!text.includes(secret), `${name} holds a secret`)
      }
    }
    assert.ok(kept.length > 0, 'the configuration is on disk')
  },
)
