/** What every error of the gateway's own must look like. */
import assert from 'node:assert/strict'

import type { Answer } from './http.ts'

export interface ExpectedError {
  readonly status: number
  readonly type: string
  readonly code: string
  readonly param?: string
}

/** Asserts OpenAI's shape with all four keys, and that nothing internal shows. Returns the message. */
export function assertError(answer: Pick<Answer, 'status' | 'headers' | 'text'>, expected: ExpectedError): string {
  const { status, type, code, param = null } = expected
  assert.equal(answer.status, status, `status ${answer.status}: ${answer.text}`)
  assert.match(String(answer.headers['content-type']), /^application\/json\b/)
  const message = assertErrorBody(answer.text, { type, code, param })
  assert.ok(answer.headers['x-request-id'], 'an error has a request id')
  assert.ok(answer.headers['x-millrace-id'], "an error has its record's id")
  return message
}

/** The same of a body alone, such as an SSE event's data. */
export function assertErrorBody(text: string, expected: { type: string; code: string; param?: string | null }): string {
  const body = JSON.parse(text) as { error: { message: string; type: unknown; param: unknown; code: unknown } }
  assert.deepEqual(Object.keys(body), ['error'])
  assert.deepEqual(Object.keys(body.error).sort(), ['code', 'message', 'param', 'type'])
  const { message, type, param, code } = body.error
  assert.deepEqual({ type, param, code }, { type: expected.type, param: expected.param ?? null, code: expected.code })
  assert.equal(typeof message, 'string')
  assert.ok(message.length > 0, 'an error has a message')
  assert.doesNotMatch(
    message,
    /\n\s+at |node:internal|node_modules|\/dist\/|undefined|\[object/,
    'a message shows nothing internal',
  )
  return message
}
