import assert from 'node:assert/strict'
import { test } from 'node:test'

import { toldError } from './log.ts'

/** As the driver throws them. */
function driverError(code: string, message: string): Error {
  const query = "insert into token values ('sk-secret')"
  return Object.assign(new Error(message), { name: 'DriverException', code, query, detail: 'Key (x)=(sk-secret)' })
}

test('an error is told without the statement and its values', () => {
  for (const error of [
    driverError('23505', 'duplicate key value violates "x"\n - detail: Key (x)=(sk-secret) already exists.'),
    driverError('22P02', 'invalid input syntax for type uuid: "sk-secret"'),
    new Error('it failed', { cause: driverError('22003', 'value out of range: "sk-secret"') }),
  ]) {
    const told = JSON.stringify(toldError(error))
    assert.doesNotMatch(told, /sk-secret/)
    assert.match(told, /duplicate key|invalid input syntax for type uuid|it failed/)
    assert.match(told, /log\.test/, 'where it comes from is told')
  }
})
