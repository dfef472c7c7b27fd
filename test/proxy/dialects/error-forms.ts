/** Errors as each API has them: of providers, and as clients are told. */
import assert from 'node:assert/strict'

import type { Answer } from '../../helpers/http.ts'
import { assertDescribed, assertResponseEvent, openApiMissing } from '../../helpers/openapi.ts'
import type { Behaviour } from '../../helpers/upstream.ts'
import { behaviours } from '../../helpers/upstream/behaviours.ts'
import { exceptionFrame, recordedFrames, binaryEvents } from '../../helpers/upstream/event-stream.ts'
import { eventsOf, type Talker } from './clients.ts'
import type { Json } from './said.ts'
import type { Spoken } from './speakers.ts'

export const MESSAGE = 'Nothing of the kind can be done: “é”.'

/** Anthropic's words for a status; OpenAI's, Google's and Amazon's. */
const WORDS: Readonly<Record<number, readonly [anthropic: string, openai: string, google: string, amazon: string]>> = {
  400: ['invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT', 'ValidationException'],
  401: ['authentication_error', 'invalid_request_error', 'UNAUTHENTICATED', 'UnrecognizedClientException'],
  403: ['permission_error', 'invalid_request_error', 'PERMISSION_DENIED', 'AccessDeniedException'],
  404: ['not_found_error', 'invalid_request_error', 'NOT_FOUND', 'ResourceNotFoundException'],
  413: ['request_too_large', 'invalid_request_error', 'INVALID_ARGUMENT', 'ValidationException'],
  422: ['invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT', 'ModelErrorException'],
  429: ['rate_limit_error', 'requests', 'RESOURCE_EXHAUSTED', 'ThrottlingException'],
  500: ['api_error', 'server_error', 'INTERNAL', 'InternalServerException'],
  503: ['api_error', 'server_error', 'UNAVAILABLE', 'ServiceUnavailableException'],
  529: ['overloaded_error', 'server_error', 'UNAVAILABLE', 'ServiceUnavailableException'],
}

const IDS: Readonly<Record<Spoken, readonly [header: string, value: string]>> = {
  chat: ['x-request-id', 'req-of-openai'],
  responses: ['x-request-id', 'req-of-openai'],
  messages: ['request-id', 'req-of-anthropic'],
  gemini: ['x-request-id', 'req-of-google'],
  converse: ['x-amzn-requestid', 'req-of-amazon'],
}

/** As the provider names its request. */
export function upstreamIdOf(api: Spoken): string {
  return IDS[api][1]
}

/** As the provider names the kind of error. */
export function typeIn(api: Spoken, status: number): string {
  const [anthropic, openai, google, amazon] = WORDS[status]!
  return { messages: anthropic, chat: openai, responses: openai, gemini: google, converse: amazon }[api]
}

/** A refusal in an API's own form. */
export function refusalIn(api: Spoken, status: number): Behaviour {
  const type = typeIn(api, status)
  const bodies: Readonly<Record<Spoken, object>> = {
    chat: { error: { message: MESSAGE, type, param: null, code: null } },
    responses: { error: { message: MESSAGE, type, param: null, code: null } },
    messages: { type: 'error', error: { type, message: MESSAGE }, request_id: IDS.messages[1] },
    gemini: { error: { code: status, message: MESSAGE, status: type } },
    converse: { message: MESSAGE },
  }
  const [header, id] = IDS[api]
  const headers = {
    [header]: id,
    ...(api === 'converse' ? { 'x-amzn-errortype': `${type}:http://internal.amazon/` } : {}),
  }
  return behaviours.raw(JSON.stringify(bodies[api]), { status, headers })
}

/** A stream that fails after these lines. */
export function failingIn(api: Spoken, lines: readonly string[]): Behaviour {
  if (api === 'converse') {
    return binaryEvents([...recordedFrames(lines), exceptionFrame('modelStreamErrorException', MESSAGE)])
  }
  const errors: Readonly<Record<Exclude<Spoken, 'converse'>, Json>> = {
    chat: { error: { message: MESSAGE, type: 'server_error', param: null, code: null } },
    responses: { type: 'error', code: 'server_error', message: MESSAGE, param: null, sequence_number: lines.length },
    messages: { type: 'error', error: { type: 'overloaded_error', message: MESSAGE } },
    gemini: { error: { code: 503, message: MESSAGE, status: 'UNAVAILABLE' } },
  }
  const events = [...lines, JSON.stringify(errors[api])]
  return behaviours.events(events, { done: null })
}

/** What each API calls an error of a status. */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  500: 'api_error',
  502: 'api_error',
  503: 'api_error',
  504: 'timeout_error',
}

/** Asserts an error in a client's own form. @returns its object `error` */
export function assertTold(client: Talker, answer: Answer, status: number): Json {
  assert.equal(answer.status, status, answer.text)
  assert.match(String(answer.headers['content-type']), /^application\/json\b/)
  const body = JSON.parse(answer.text)
  assertShown(body.error.message)
  if (client === 'messages') {
    assert.equal(body.type, 'error')
    assert.equal(body.error.type, ANTHROPIC_TYPES[status], answer.text)
    assert.equal(typeof body.request_id, 'string', "Anthropic's clients find the request's id")
    assert.equal(typeof answer.headers['request-id'], 'string')
  } else {
    for (const key of ['message', 'type', 'param', 'code']) assert.ok(key in body.error, `${key} in ${answer.text}`)
    if (!openApiMissing) assertDescribed('ErrorResponse', body)
  }
  return body.error
}

/** Asserts that a stream ends in an error in the client's form. @returns its message, and the data of what came before */
export function assertFailed(client: Talker, answer: Answer): { message: string; before: Json[] } {
  assert.equal(answer.status, 200, answer.text)
  const events = eventsOf(answer.text)
  assert.ok(!answer.text.includes('[DONE]'), 'a stream that fails is not done')
  const { name, data } = events.pop()!
  const told = JSON.parse(data)
  const before = events.map((event) => JSON.parse(event.data))
  if (client === 'responses') {
    assert.equal(name, 'error')
    assert.equal(told.type, 'error')
    assert.equal(told.sequence_number, before.length)
    if (!openApiMissing) assertResponseEvent(told)
    assertShown(told.message)
    return { message: told.message, before }
  }
  if (client === 'messages') {
    assert.equal(name, 'error')
    assert.equal(told.type, 'error')
    assert.equal(typeof told.error.type, 'string')
  } else if (!openApiMissing) assertDescribed('ErrorResponse', told)
  assertShown(told.error.message)
  return { message: told.error.message, before }
}

function assertShown(message: string): void {
  assert.equal(typeof message, 'string')
  assert.ok(message.length > 0, 'an error has a message')
  assert.doesNotMatch(message, /\n\s+at |node:internal|node_modules|\/dist\/|undefined|\[object/)
}
