/** Many failed authentications from one address. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newSecret, TOKEN_PREFIX } from '@millrace/shared'

import { assertError } from '../helpers/error-shape.ts'
import type { Answer } from '../helpers/http.ts'
import { startGuarded } from './access/guarded.ts'

const invalid = { status: 401, type: 'authentication_error', code: 'invalid_api_key' }
const tooMany = { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' }

test('are answered 429, each address for itself, and a valid key is served all the while', async () => {
  await using guarded = await startGuarded({ MILLRACE_TRUSTED_PROXIES: '127.0.0.0/8' })
  const revoked = guarded.addToken(null, { revoked: true })
  await guarded.serve()
  const from = (address: string, secret: string): Promise<Answer> =>
    guarded.chat({}, { authorization: `Bearer ${secret}`, 'x-forwarded-for': address })
  const guess = (address: string): Promise<Answer> => from(address, newSecret(TOKEN_PREFIX).secret)

  const guesses: Answer[] = []
  for (let i = 0; i < 60; i++) guesses.push(await guess('192.0.2.1'))
  for (const answer of guesses.slice(0, 30)) assertError(answer, invalid)
  const late = guesses.filter(({ status }) => status === 429)
  // One more may have been let through for every two seconds that this took.
  assert.ok(late.length > 0, 'some are refused otherwise')
  for (const answer of late) {
    assertError(answer, tooMany)
    const seconds = Number(answer.headers['retry-after'])
    assert.ok(seconds >= 1 && seconds <= 60, `retry-after: ${seconds}`)
  }
  const record = await guarded.record(late[0]!)
  assert.deepEqual([record.status, record.errorClass, record.tokenId], ['REJECTED', 'rate_limit_exceeded', null])

  for (let i = 0; i < 50; i++)
    assert.equal((await from('192.0.2.1', guarded.token)).status, 200, 'a valid key is served')
  assertError(await from('192.0.2.1', revoked.secret), {
    status: 401,
    type: 'authentication_error',
    code: 'token_revoked',
  })
  assertError(await guess('192.0.2.2'), invalid)

  const nets: Answer[] = []
  for (let i = 0; i < 60; i++) nets.push(await guess(`2001:db8::${i.toString(16)}:1`))
  assert.ok(
    nets.some(({ status }) => status === 429),
    'a network of 64 bits counts as one',
  )
  assertError(await guess('2001:db8:0:1::1'), invalid)
})
