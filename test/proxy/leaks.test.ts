/** What a provider's failure must not tell: its key to anybody, its whereabouts to a client. */
import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { uniqueName, UPSTREAM_KEY } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import type { StoredRecord } from '../helpers/stored-record.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours, errorBody } from '../helpers/upstream/behaviours.ts'
import { errorEvent } from '../helpers/upstream/failures.ts'

const scene = useScene()

async function ask(model: string, stream: boolean): Promise<{ answer: Answer; record: StoredRecord }> {
  const id = uniqueName('leak')
  const answer = await scene.chat(scene.body(model, { stream }), { 'x-request-id': id })
  return { answer, record: await scene.gateway.record(id) }
}

describe('an upstream key that the provider repeats', () => {
  /** Half of a key is too much as well. */
  const traces = UPSTREAM_KEY.slice(0, UPSTREAM_KEY.length / 2)
  const texts: [string, string][] = [
    ['in its text', `Incorrect API key provided: ${UPSTREAM_KEY}. Find yours elsewhere.`],
    // So much of a text is kept: what is left of it there is still a key's.
    ['across the 500th character', `${'x'.repeat(480)}${UPSTREAM_KEY} and more`],
    ['across the 500th character with what stands before the text', `${'x'.repeat(470)} ${UPSTREAM_KEY} and more`],
  ]
  const ways: [string, boolean, (text: string) => Behaviour][] = [
    ['a 401', false, (message) => behaviours.refuse(401, { message })],
    ['a 500', true, (message) => behaviours.refuse(500, { message })],
    [
      'a page',
      false,
      (text) => behaviours.raw(`<p>${text}</p>`, { status: 502, headers: { 'content-type': 'text/html' } }),
    ],
    ['a 200 with an error', false, (text) => behaviours.raw(errorBody(text))],
    ['an error event first', true, (text) => errorEvent(0, errorBody(text))],
    ['an error event later', true, (text) => errorEvent(3, errorBody(text))],
  ]
  for (const [way, stream, behaviour] of ways) {
    for (const [place, text] of texts) {
      test(`${way}: ${place}`, async () => {
        const { answer, record } = await ask(await scene.behaving(uniqueName('leaky'), behaviour(text)), stream)
        assert.ok(!answer.text.includes(traces), answer.text)
        assert.ok(!JSON.stringify(answer.headers).includes(traces))
        assert.ok(!JSON.stringify(record).includes(traces), JSON.stringify(record))
        assert.ok(record.attempts.length > 0)
        for (const { errorMessage } of record.attempts) assert.ok(errorMessage, 'the rest of it is told')
      })
    }
  }

  test('a refusal that is passed on', async () => {
    for (const [, message] of texts) {
      scene.upstream.next(behaviours.refuse(400, { message }))
      const { answer, record } = await ask(scene.alias, false)
      assert.equal(answer.status, 400)
      assert.ok(!answer.text.includes(traces), answer.text)
      assert.ok(!JSON.stringify(record).includes(traces), JSON.stringify(record))
    }
  })
})

describe('a provider that cannot be reached', () => {
  test('nobody listens: the address is for the operator', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    for (const stream of [false, true]) {
      const { answer, record } = await ask(await scene.gateway.serve(`http://127.0.0.1:${port}/v1`), stream)
      const message = assertError(answer, { status: 502, type: 'upstream_error', code: 'all_routes_failed' })
      assert.doesNotMatch(message, new RegExp(`127\\.0\\.0\\.1|${port}|ECONN`))
      assert.match(String(record.attempts[0]!.errorMessage), new RegExp(`ECONNREFUSED.*127\\.0\\.0\\.1:${port}`))
    }
  })

  test('nobody knows its name: that is for the operator', async () => {
    const host = 'no-such-host.invalid'
    const { answer, record } = await ask(await scene.gateway.serve(`http://${host}/v1`), false)
    // Where the name server doesn't answer either it is the connection's time that is over.
    assert.ok([502, 504].includes(answer.status), answer.text)
    assert.match(answer.text, /"code":"(all_routes_failed|upstream_timeout)"/)
    assert.doesNotMatch(answer.text, /no-such-host|ENOTFOUND|EAI_AGAIN|getaddrinfo/)
    assert.match(String(record.attempts[0]!.errorMessage), /no-such-host\.invalid/)
  })
})
