/**
 * Everything that the fake upstream can do, by name: the fake's documentation. Each is a function that gives a
 * {@link Behaviour}; queue one with `upstream.next(behaviours.x())`, or let it stand for a model with `upstream.on`.
 */
import type { OutgoingHttpHeaders } from 'node:http'

import { answer, events, raw } from './answers.ts'
import { completion, completionEvents, errorBody, USAGE, WORDS } from './completion.ts'
import type { Behaviour } from './exchange.ts'
import { cutOff, endEarly, errorEvent, halfRefusal, lingering, refuse, reset, stall } from './failures.ts'
import { byKey, early, endless, halfway, huge, inTurn, late, onceReleased, slowReader } from './flow.ts'

/** Headers of all kinds on an answer: those that pass, those that must not, those of one hop. */
export const MANY_HEADERS: OutgoingHttpHeaders = {
  'set-cookie': ['session=upstream; Path=/', 'second=1'],
  'access-control-allow-origin': 'https://upstream.example',
  'access-control-expose-headers': 'x-request-id',
  'access-control-allow-credentials': 'true',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-remaining-requests': '9999',
  'x-ratelimit-reset-requests': '6ms',
  'x-ratelimit-limit-tokens': '200000',
  'openai-organization': 'org-of-the-operator',
  'openai-processing-ms': '123',
  'openai-version': '2020-10-01',
  'x-request-id': 'req_of_the_upstream',
  'x-custom-header': 'passes',
  connection: 'keep-alive, x-hop',
  'x-hop': 'one hop only',
  'keep-alive': 'timeout=5',
  'proxy-authenticate': 'Basic',
  // Names of Millrace's own, which only Millrace may say.
  'x-millrace-provider': 'forged',
  'x-millrace-revision': '999999',
}

export const behaviours = {
  // ------------------------------------------------------------ in order
  /** JSON or SSE as asked, usage as asked; options for words, framing, pace. */
  answer,
  /** These very bytes, JSON or not. */
  raw,
  /** These very events, framed as told. */
  events,
  /** A good answer with `headers` of all kinds. */
  manyHeaders: () => answer({ headers: MANY_HEADERS }),
  /** Compressed, though nobody asked. */
  gzip: () => answer({ gzip: true }),
  /** JSON without content-length, in chunks of 7 bytes. */
  chunkedJson: () => answer({ chunked: 7 }),

  // ------------------------------------------------------------ in order, framed oddly
  /** Every byte of the stream is an HTTP chunk, and a packet, of its own. */
  everyByte: () => answer({ split: 1 }),
  /** All events of the stream in one packet. */
  onePacket: () => answer({ split: 'all' }),
  /** Lines end in CRLF. */
  crlf: () => answer({ newline: '\r\n' }),
  /** Lines end in CR alone, which the standard allows. */
  cr: () => answer({ newline: '\r' }),
  /** `data:{…}` without a space. */
  noSpace: () => answer({ space: false }),
  /** A comment before each event, as OpenRouter's pings. */
  comments: () => answer({ before: ': OPENROUTER PROCESSING' }),
  /** `event:` and `id:` lines before each event's data. */
  fields: () => answer({ before: 'event: message\nid: 7' }),
  /** The last event lacks its blank line. */
  noLastBlankLine: () => answer({ lastBlankLine: false }),
  /** Events of 300 KB. */
  bigEvents: () => answer({ words: ['a'.repeat(300_000), 'b'.repeat(300_000)], split: 65_536 }),

  // ------------------------------------------------------------ in order, spelt oddly
  /** Key order, nulls, numbers and unknown fields that a re-encoding would change; `model` at the end. */
  oddSpelling: (model: string): Behaviour => raw(ODD_COMPLETION(model)),
  /** `model` also nested, in a string, and twice at the top, the last of which counts. */
  modelTwice: (model: string): Behaviour =>
    raw(
      `{"model":"first","choices":[{"model":"nested","message":{"content":"\\"model\\":\\"in a string\\""}}],"model":${JSON.stringify(model)}}`,
    ),
  /** The key of `model` spelt with an escape. */
  escapedKey: (model: string): Behaviour => raw(`{"mod\\u0065l":${JSON.stringify(model)},"choices":[]}`),

  // ------------------------------------------------------------ refused
  /** Any status with OpenAI's error body; `retryAfter` sets that header. */
  refuse,
  badRequest: () =>
    refuse(400, {
      message: 'temperature is too hot',
      type: 'invalid_request_error',
      code: 'invalid_value',
      param: 'temperature',
    }),
  unauthorized: () =>
    refuse(401, {
      message: 'Incorrect API key provided: sk-upst****',
      type: 'invalid_request_error',
      code: 'invalid_api_key',
    }),
  forbidden: () => refuse(403),
  notFound: () => refuse(404, { message: 'The model does not exist', code: 'model_not_found' }),
  unprocessable: () => refuse(422),
  rateLimited: (retryAfter?: string) =>
    refuse(429, { type: 'requests', code: 'rate_limit_exceeded', ...(retryAfter === undefined ? {} : { retryAfter }) }),
  serverError: () => refuse(500, { type: 'server_error' }),
  unavailable: (retryAfter?: string) => refuse(503, retryAfter === undefined ? {} : { retryAfter }),
  /** A load balancer's page. */
  html: (status = 502): Behaviour =>
    raw('<html><body><h1>Bad Gateway</h1></body></html>', { status, headers: { 'content-type': 'text/html' } }),
  redirect: (location: string): Behaviour => raw('', { status: 307, headers: { location } }),
  /** A 400 that breaks off in the middle of its body. */
  halfRefusal,
  /** A 200 whose body is an error object, as some compatible servers send. */
  okWithError: (): Behaviour => raw(errorBody('out of memory', 'server_error')),

  // ------------------------------------------------------------ broken
  /** Says no more from a point on; the connection stays open. */
  stall,
  /** All of a stream, [DONE] too; the answer stays open. */
  lingering,
  /** Closes the connection at a point. */
  cutOff,
  /** Ends in order of HTTP at a point, though the content isn't complete. */
  endEarly,
  /** Never sends [DONE], but all else. */
  missingDone: () => answer({ done: null }),
  /** An error event within a 200 stream, before any other. */
  errorEventFirst: () => errorEvent(0),
  /** The same after a role and two words. */
  errorEventLater: () => errorEvent(3),
  /** 200 and JSON that stops in the middle, its length in order. */
  truncatedJson: () => endEarly('mid-body'),
  /** RST instead of an answer. */
  reset,

  // ------------------------------------------------------------ of an awkward size or pace
  endless,
  huge,
  slowReader,
  early,
  late,

  // ------------------------------------------------------------ one of several
  /** A request each, and the last for all that follow. */
  inTurn,
  /** By the upstream key that is brought. */
  byKey,
  /** Not before a promise resolves. */
  onceReleased,
  /** A stream's second half not before that. */
  halfway,
} as const

/** What {@link behaviours.oddSpelling} sends. */
export function ODD_COMPLETION(model: string): string {
  return `{ "z_last": null,\t"created": 1.0, "float": 1e3, "big": 12345678901234567890, "neg": -0, "esc": "\\u00e9\\/\\u2028",
  "choices": [ {"finish_reason":"stop","index":0,"message":{"content":"caf\u00e9 \u{1f600}","role":"assistant","unknown":[1,2.50,{}]}} ],
  "usage": {"prompt_tokens": 19, "completion_tokens": 7, "total_tokens": 26, "unheard_of": null},
  "id":"chatcmpl-odd" , "model" : ${JSON.stringify(model)} }\n`
}

export { completion, completionEvents, errorBody, USAGE, WORDS }
