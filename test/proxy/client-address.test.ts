/** Whose address a request comes from, behind proxies that are trusted and behind such as are not. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { bearer, startGuarded, type Guarded } from './access/guarded.ts'

const refused = { status: 403, type: 'permission_error', code: 'ip_not_allowed' }
const RANGES = ['192.0.2.0/24', '203.0.113.7', '2001:db8:1::/48']

/** What a proxy says of a token that is for {@link RANGES}, by `x-forwarded-for`. */
async function allowed(guarded: Guarded, token: { secret: string }, forwardedFor: string): Promise<boolean> {
  const answer = await guarded.chat({}, { ...bearer(token), 'x-forwarded-for': forwardedFor })
  if (answer.status !== 200) assertError(answer, refused)
  return answer.status === 200
}

describe('behind a trusted proxy', () => {
  let guarded: Guarded
  let token: { secret: string }
  before(async () => {
    guarded = await startGuarded({ MILLRACE_TRUSTED_PROXIES: '127.0.0.0/8, ::1, 10.0.0.0/8' })
    token = guarded.addToken({ ipRanges: RANGES })
    await guarded.serve()
  })
  after(() => guarded[Symbol.asyncDispose]())

  for (const [forwardedFor, expected] of [
    ['192.0.2.1', true],
    ['192.0.3.1', false],
    ['203.0.113.7', true],
    ['203.0.113.8', false],
    ['::ffff:192.0.2.1', true],
    ['2001:db8:1:2::3', true],
    ['[2001:DB8:1::3]:443', true],
    ['2001:db8:2::3', false],
    ['192.0.2.1, 10.0.0.3, 10.1.0.1', true],
    ['203.0.113.7, 198.51.100.9', false],
    ['192.0.2.1, 203.0.113.8, 10.0.0.1', false],
    ['192.0.2.1, nonsense', false],
    ['nonsense, 192.0.2.1', true],
    ['192.0.2.1,', false],
    ['', false],
  ] as const) {
    test(`${JSON.stringify(forwardedFor)} ${expected ? 'passes' : 'is refused'}`, async () => {
      assert.equal(await allowed(guarded, token, forwardedFor), expected)
    })
  }

  test('several headers are one list', async () => {
    assert.equal(await allowed(guarded, token, '192.0.2.1'), true)
    const status = await new Promise((resolve, reject) => {
      const asking = request(guarded.chatUrl, { method: 'POST', headers: guarded.headers(bearer(token)) }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      asking.setHeader('x-forwarded-for', ['192.0.2.1', '198.51.100.9'])
      asking.once('error', reject)
      asking.end(JSON.stringify(guarded.body()))
    })
    assert.equal(status, 403)
  })
})

describe('of nobody who is trusted', () => {
  let guarded: Guarded
  before(async () => {
    guarded = await startGuarded({ MILLRACE_TRUSTED_PROXIES: '10.0.0.0/8' })
  })
  after(() => guarded[Symbol.asyncDispose]())

  test('x-forwarded-for counts for nothing', async () => {
    const [theirs, here] = [guarded.addToken({ ipRanges: RANGES }), guarded.addToken({ ipRanges: ['127.0.0.0/8'] })]
    await guarded.serve()
    for (const forwardedFor of ['192.0.2.1', '192.0.2.1, 10.0.0.1', '10.0.0.1'])
      assert.equal(await allowed(guarded, theirs, forwardedFor), false)
    assert.equal(await allowed(guarded, here, '192.0.2.1'), true)
  })
})

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

describe('on both families at once', { skip: hasIpv6 ? false : 'no IPv6 here' }, () => {
  let guarded: Guarded
  before(async () => {
    guarded = await startGuarded({ MILLRACE_HOST: '::' })
  })
  after(() => guarded[Symbol.asyncDispose]())

  test('an IPv4 client is one, though the socket is of IPv6', async () => {
    const [four, six] = [guarded.addToken({ ipRanges: ['127.0.0.1'] }), guarded.addToken({ ipRanges: ['::1'] })]
    await guarded.serve()
    const status = async (token: { secret: string }, host: string): Promise<number> => {
      const answer = await fetch(`http://${host}:${new URL(guarded.url).port}/v1/models`, { headers: bearer(token) })
      await answer.arrayBuffer()
      return answer.status
    }
    assert.deepEqual(
      [
        await status(four, '127.0.0.1'),
        await status(six, '127.0.0.1'),
        await status(four, '[::1]'),
        await status(six, '[::1]'),
      ],
      [200, 403, 403, 200],
    )
  })
})
