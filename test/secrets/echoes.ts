/** An upstream that repeats the key that it was given, wherever it can. */
import type { Behaviour } from '../helpers/upstream.ts'
import { events, raw } from '../helpers/upstream/answers.ts'
import { completion, completionEvents, errorBody } from '../helpers/upstream/completion.ts'
import { cutOff } from '../helpers/upstream/failures.ts'

function keyIn(headers: Readonly<Record<string, unknown>>): string {
  return String(headers['authorization']).replace('Bearer ', '')
}

/** The key in a sentence, in the spellings that an upstream's log would have. */
function sentence(key: string): string {
  const base64 = Buffer.from(key).toString('base64')
  return `the key ${key} (${encodeURIComponent(key)}, ${base64}) is not what it was`
}

/** What an upstream says of the key that it was given. */
function saying(behaviour: (said: string) => Behaviour): Behaviour {
  return (exchange) => behaviour(sentence(keyIn(exchange.seen.headers)))(exchange)
}

const refusal = (status: number): Behaviour =>
  saying((said) =>
    raw(errorBody(said, 'invalid_request_error', 'bad_key'), {
      status,
      headers: { 'x-echo': said, 'www-authenticate': `Bearer error="${encodeURIComponent(said)}"` },
    }),
  )

/** By the model that is asked for. */
export const ECHOES: Readonly<Record<string, Behaviour>> = {
  'echo-400': refusal(400),
  'echo-401': refusal(401),
  'echo-403': refusal(403),
  'echo-404': refusal(404),
  'echo-500': refusal(500),
  'echo-text': saying((said) => raw(said, { status: 503, headers: { 'content-type': 'text/plain' } })),
  'echo-redirect': saying((said) => raw('', { status: 302, headers: { location: `/${encodeURIComponent(said)}` } })),
  'echo-no-json': saying((said) => raw(`<html>${said}</html>`)),
  'echo-in-band': saying((said) => raw(errorBody(said, 'server_error'))),
  'echo-first-event': saying((said) => events([errorBody(said, 'server_error')])),
  'echo-mid-stream': (exchange) => {
    const begun = completionEvents('x', false).slice(0, 3)
    const said = errorBody(sentence(keyIn(exchange.seen.headers)), 'server_error')
    return events([...begun, said], { done: null })(exchange)
  },
  'echo-broken-event': saying((said) => events([`{"choices": ${said}`])),
  'cut-off': cutOff('mid-body'),
  'cut-off-head': cutOff('after-headers'),
  good: (exchange) =>
    exchange.streams
      ? events(completionEvents('good', exchange.wantsUsage))(exchange)
      : raw(JSON.stringify(completion('good')))(exchange),
  // The last: the keys then rest.
  'echo-429': refusal(429),
}
