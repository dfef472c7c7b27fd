/** Nobody is made to hold what another does not take: bytes in flight and memory stay bounded. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { stoodStill } from '../helpers/held-up.ts'
import { begin, type OpenAnswer } from '../helpers/http.ts'
import { residentMegabytes } from '../helpers/memory.ts'
import { useScene } from '../helpers/scene.ts'
import type { SeenRequest } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const MB = 1_024 * 1_024
const scene = useScene()

async function openUnread(more: Readonly<Record<string, unknown>>): Promise<{ answer: OpenAnswer; seen: SeenRequest }> {
  const answer = await scene.open(scene.body(scene.alias, more))
  answer.stream.pause()
  return { answer, seen: scene.upstream.last }
}

describe('a client that does not read', () => {
  test('holds up the stream that it asked for, and goes on with it', async () => {
    scene.upstream.next(behaviours.endless())
    const { answer, seen } = await openUnread({ stream: true })
    const held = await stoodStill(seen)
    assert.ok(held < 32 * MB, `${held} bytes were taken from the upstream for a client that reads none`)

    let read = 0
    answer.stream.on('data', (chunk: Buffer) => (read += chunk.length))
    answer.stream.resume()
    await waitFor(() => read > held + 4 * MB, { what: 'the stream to go on', timeoutMs: 30_000 })
    answer.abort()
    await within(5_000, 'the end upstream', seen.ended)
  })

  test('does not make the proxy hold what it asked for: twenty of them', async () => {
    const before = residentMegabytes(scene.gateway.proxy.pid)
    scene.upstream.next(...Array.from({ length: 20 }, () => behaviours.endless()))
    const first = scene.upstream.requests.length
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => scene.open(scene.body(scene.alias, { stream: true }))),
    )
    for (const { stream } of answers) stream.pause()
    await Promise.all(scene.upstream.requests.slice(first).map(stoodStill))
    const after = residentMegabytes(scene.gateway.proxy.pid)
    for (const answer of answers) answer.abort()
    if (before !== null && after !== null) assert.ok(after - before < 200, `${before} MB became ${after} MB`)
  })

  test('of a large unstreamed answer, holds up that', async () => {
    const size = 96 * MB
    scene.upstream.next(behaviours.huge(size))
    const { answer, seen } = await openUnread({})
    const held = await stoodStill(seen)
    assert.ok(held < 48 * MB, `${held} of ${size} bytes were taken from the upstream for a client that reads none`)

    let read = 0
    let last: Buffer = Buffer.alloc(0)
    for await (const chunk of answer.stream) {
      read += (chunk as Buffer).length
      last = chunk as Buffer
    }
    assert.ok(answer.stream.complete)
    assert.ok(Math.abs(read - size) < 200, `${read} bytes came of ${size}`)
    assert.match(last.subarray(-100).toString(), /"total_tokens":3\}\}$/)
  })

  test('does not slow down another', async () => {
    scene.upstream.next(behaviours.endless())
    const { answer, seen } = await openUnread({ stream: true })
    await stoodStill(seen)
    const other = await within(5_000, 'the other answer', scene.chat(scene.body(scene.alias, { stream: true })))
    assert.match(other.text, /\[DONE\]/)
    answer.abort()
  })
})

describe('an upload', () => {
  const upload = (body: Buffer) => {
    const headers = {
      authorization: `Bearer ${scene.gateway.token}`,
      'content-type': 'application/json',
      'content-length': String(body.length),
    }
    return begin(scene.chatUrl, { headers })
  }
  const body = (size: number): Buffer => Buffer.from(JSON.stringify(scene.body(scene.alias, { pad: 'x'.repeat(size) })))

  test('that trickles in is waited for', async () => {
    const bytes = body(100)
    const { request, answer } = upload(bytes)
    for (let at = 0; at < bytes.length; at += 10) {
      request.write(bytes.subarray(at, at + 10))
      await sleep(20)
    }
    request.end()
    const { status } = await answer
    assert.equal(status, 200)
    assert.equal(scene.upstream.last.json.pad.length, 100)
  })

  test('that comes in 20,000 chunks of a byte arrives byte for byte', async () => {
    const bytes = body(20_000)
    const { request, answer } = begin(scene.chatUrl, {
      headers: { authorization: `Bearer ${scene.gateway.token}`, 'content-type': 'application/json' },
    })
    for (let at = 0; at < bytes.length; at++) request.write(bytes.subarray(at, at + 1))
    request.end()
    const { status } = await answer
    assert.equal(status, 200)
    const expected = bytes.toString().replace(JSON.stringify(scene.alias), JSON.stringify(scene.providerModel))
    assert.equal(scene.upstream.last.body.toString(), expected)
  })

  test('that the provider is slow to read arrives whole', async () => {
    const release = Promise.withResolvers<void>()
    scene.upstream.next(behaviours.slowReader(release.promise, behaviours.answer()))
    const count = scene.upstream.requests.length + 1
    const bytes = body(8 * MB)
    const { request, answer } = upload(bytes)
    request.end(bytes)
    await scene.upstream.seen(count)
    await sleep(500)
    // Others pass while this one waits.
    assert.equal((await scene.chat(scene.body())).status, 200)
    release.resolve()
    const opened = await answer
    assert.equal(opened.status, 200)
    await opened.rest()
    const seen = scene.upstream.requests[count - 1]!
    assert.equal(seen.body.length, bytes.length - scene.alias.length + scene.providerModel.length)
  })

  test('that the provider answers before it has read it', async () => {
    scene.upstream.next(behaviours.early(behaviours.refuse(413, { code: 'too_big_for_me' })))
    const answer = await scene.chat(scene.body(scene.alias, { pad: 'x'.repeat(2 * MB) }))
    // It may close the connection in mid-upload; then what it has said may be lost, and it is asked again.
    assert.ok(answer.status === 413 || answer.status === 200, answer.text)
  })
})
