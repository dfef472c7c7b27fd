/** SIGTERM, and the time to drain is over, while answers that are complete wait for their record to be stored: x-millrace-sync. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { send, type Answer } from '../helpers/http.ts'
import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { completion, WORDS } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const DRAIN_MS = 1_000
/** Where the process ends as soon as it may, this is far too long. */
const LONG_MS = 15_000
const stack = new AsyncDisposableStack()
const answers = {} as Record<'json' | 'stream', Promise<Answer>>
let lone: LoneProxy

/** A request whose answer's end waits for its record. */
function ask(stream: boolean): Promise<Answer> {
  const { alias, token } = lone.configuration
  const answer = send(`${lone.proxy.url}/v1/chat/completions`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-millrace-sync': 'true' },
    body: JSON.stringify({ model: alias, stream, messages: [{ role: 'user', content: 'Say hello.' }] }),
  })
  answer.catch(() => undefined)
  return answer
}

before(async () => {
  lone = stack.use(await startLoneProxy({ env: { MILLRACE_DRAIN_SECONDS: String(DRAIN_MS / 1_000) } }))
  await lone.serve(1)
  const { control, upstream, proxy } = lone
  await waitFor(() => control.records.length > 0, { what: 'the records so far to be taken' })
  control.ingest = 'unanswered'
  const seen = upstream.requests.length
  const calls = control.ingests
  answers.json = ask(false)
  answers.stream = ask(true)
  await upstream.seen(seen + 2)
  await Promise.all(upstream.requests.slice(seen).map(({ ended }) => ended))
  await waitFor(() => control.ingests > calls, { what: 'a record to be brought' })
  await sleep(200)
  proxy.signal('SIGTERM')
})
after(() => stack.disposeAsync())

describe('when the time to drain is over, and the control plane takes no records', () => {
  test('a JSON answer reaches its client whole', async () => {
    const answer = await within(LONG_MS, 'the answer', answers.json)
    assert.equal(answer.status, 200)
    assert.ok(answer.complete)
    assert.deepEqual(JSON.parse(answer.text), completion(lone.configuration.alias))
  })

  test('a stream reaches its client whole', async () => {
    const answer = await within(LONG_MS, 'the answer', answers.stream)
    assert.equal(answer.status, 200)
    assert.ok(answer.complete)
    for (const word of WORDS) assert.ok(answer.text.includes(JSON.stringify(word)), answer.text)
    assert.match(answer.text, /\[DONE\]\n\n$/)
    assert.doesNotMatch(answer.text, /"error"/)
  })

  test('the process ends in good order', async () => {
    assert.deepEqual(await within(LONG_MS, 'the end of the process', lone.proxy.exited), { code: 0, signal: null })
  })
})
