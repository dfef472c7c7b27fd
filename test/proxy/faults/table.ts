/**
 * What becomes of a request whose first route fails: the table itself, to be read, and what reads it for the test.
 *
 * `asked`     a JSON answer, a stream, or each.
 * `beside`    whether the alias has another route, of lower priority, at another provider, which is healthy.
 * `client`    what the client gets: an answer and whose; a status and the gateway's error code; the refusal "as it came";
 *             or a stream that is broken off by an error event of that code, without [DONE].
 * `calls`     how often the faulty provider and the healthy one were asked; ? where there is nobody to count.
 * `attempts`  the error classes of the record's attempts in their order; ok: none.
 * `record`    its status and error class.
 * `selected`  the route that the decision says has answered. `other` is a fallback, and said to be one.
 */
export const TABLE = `
fault                         | asked  | beside | client                                | calls | attempts                  | record                               | selected
connection refused            | both   | -      | 502 all_routes_failed                 | ? 0   | transport_error x3        | ERROR all_routes_failed              | -
connection refused            | both   | other  | other's answer                        | ? 1   | transport_error, ok       | SUCCESS                              | other
connect timeout               | both   | -      | 504 upstream_timeout                  | ? 0   | connect_timeout x3        | TIMEOUT upstream_timeout             | -
connect timeout               | both   | other  | other's answer                        | ? 1   | connect_timeout, ok       | SUCCESS                              | other
reset before headers          | both   | -      | 502 all_routes_failed                 | 3 0   | transport_error x3        | ERROR all_routes_failed              | -
reset before headers          | both   | other  | other's answer                        | 1 1   | transport_error, ok       | SUCCESS                              | other
cut after headers             | both   | -      | 502 all_routes_failed                 | 3 0   | transport_error x3        | ERROR all_routes_failed              | -
cut after headers             | both   | other  | other's answer                        | 1 1   | transport_error, ok       | SUCCESS                              | other
cut in mid-body               | json   | -      | 502 all_routes_failed                 | 3 0   | transport_error x3        | ERROR all_routes_failed              | -
cut in mid-body               | json   | other  | other's answer                        | 1 1   | transport_error, ok       | SUCCESS                              | other
cut in mid-event              | stream | -      | broken off by stream_truncated        | 1 0   | transport_error           | ERROR stream_truncated               | first
cut in mid-event              | stream | other  | broken off by stream_truncated        | 1 0   | transport_error           | ERROR stream_truncated               | first

stalled before headers        | json   | -      | 504 upstream_timeout                  | 1 0   | total_timeout             | TIMEOUT upstream_timeout             | -
stalled before headers        | json   | other  | 504 upstream_timeout                  | 1 0   | total_timeout             | TIMEOUT upstream_timeout             | -
stalled before headers        | stream | -      | 504 upstream_timeout                  | 3 0   | first_token_timeout x3    | TIMEOUT upstream_timeout             | -
stalled before headers        | stream | other  | other's answer                        | 1 1   | first_token_timeout, ok   | SUCCESS                              | other
stalled after headers         | json   | -      | 504 upstream_timeout                  | 3 0   | idle_timeout x3           | TIMEOUT upstream_timeout             | -
stalled after headers         | json   | other  | other's answer                        | 1 1   | idle_timeout, ok          | SUCCESS                              | other
stalled after headers         | stream | -      | 504 upstream_timeout                  | 3 0   | first_token_timeout x3    | TIMEOUT upstream_timeout             | -
stalled after headers         | stream | other  | other's answer                        | 1 1   | first_token_timeout, ok   | SUCCESS                              | other
stalled before first token    | stream | -      | 504 upstream_timeout                  | 3 0   | first_token_timeout x3    | TIMEOUT upstream_timeout             | -
stalled before first token    | stream | other  | other's answer                        | 1 1   | first_token_timeout, ok   | SUCCESS                              | other
stalled in mid-body           | json   | -      | 504 upstream_timeout                  | 3 0   | idle_timeout x3           | TIMEOUT upstream_timeout             | -
stalled in mid-body           | json   | other  | other's answer                        | 1 1   | idle_timeout, ok          | SUCCESS                              | other
stalled in mid-body           | stream | -      | broken off by upstream_timeout        | 1 0   | idle_timeout              | TIMEOUT upstream_timeout             | first
stalled in mid-body           | stream | other  | broken off by upstream_timeout        | 1 0   | idle_timeout              | TIMEOUT upstream_timeout             | first
trickles for ever             | stream | -      | broken off by upstream_timeout        | 1 0   | total_timeout             | TIMEOUT upstream_timeout             | first
trickles for ever             | stream | other  | broken off by upstream_timeout        | 1 0   | total_timeout             | TIMEOUT upstream_timeout             | first

429, retry-after 1            | both   | -      | 429 all_routes_failed, retry-after 1  | 3 0   | upstream_rate_limited x3  | ERROR all_routes_failed              | -
429, retry-after 1            | both   | other  | other's answer                        | 1 1   | upstream_rate_limited, ok | SUCCESS                              | other
429, retry-after 60           | both   | -      | 429 all_routes_failed, retry-after 60 | 1 0   | upstream_rate_limited     | ERROR all_routes_failed              | -
429, retry-after 60           | both   | other  | other's answer                        | 1 1   | upstream_rate_limited, ok | SUCCESS                              | other
429                           | both   | -      | 429 all_routes_failed, retry-after 1  | 3 0   | upstream_rate_limited x3  | ERROR all_routes_failed              | -
429                           | both   | other  | other's answer                        | 1 1   | upstream_rate_limited, ok | SUCCESS                              | other
500                           | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_5xx x3           | ERROR all_routes_failed              | -
500                           | both   | other  | other's answer                        | 1 1   | upstream_5xx, ok          | SUCCESS                              | other
503                           | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_5xx x3           | ERROR all_routes_failed              | -
503                           | both   | other  | other's answer                        | 1 1   | upstream_5xx, ok          | SUCCESS                              | other
408                           | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_4xx x3           | ERROR all_routes_failed              | -
409                           | both   | other  | other's answer                        | 1 1   | upstream_4xx, ok          | SUCCESS                              | other
401 to one key of two         | both   | -      | first's answer                        | 2 0   | upstream_auth, ok         | SUCCESS                              | first
401 to one key of two         | both   | other  | first's answer                        | 2 0   | upstream_auth, ok         | SUCCESS                              | first
401 to both keys              | both   | -      | 502 upstream_credentials_exhausted    | 2 0   | upstream_auth x2          | ERROR upstream_credentials_exhausted | -
401 to both keys              | both   | other  | other's answer                        | 2 1   | upstream_auth x2, ok      | SUCCESS                              | other
400                           | both   | -      | 400 as it came                        | 1 0   | upstream_4xx              | ERROR upstream_4xx                   | first
400                           | both   | other  | 400 as it came                        | 1 0   | upstream_4xx              | ERROR upstream_4xx                   | first

a page of HTML                | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_invalid x3       | ERROR all_routes_failed              | -
a page of HTML                | both   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
an empty body                 | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_invalid x3       | ERROR all_routes_failed              | -
an empty body                 | both   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
truncated JSON                | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_invalid x3       | ERROR all_routes_failed              | -
truncated JSON                | both   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
a 200 with an error body      | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_invalid x3       | ERROR all_routes_failed              | -
a 200 with an error body      | both   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
gzip                          | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_invalid x3       | ERROR all_routes_failed              | -
gzip                          | both   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
a redirect                    | both   | -      | 502 all_routes_failed                 | 3 0   | upstream_invalid x3       | ERROR all_routes_failed              | -
a redirect                    | both   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
an error event first          | json   | -      | 502 all_routes_failed                 | 3 0   | upstream_invalid x3       | ERROR all_routes_failed              | -
an error event first          | json   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
an error event first          | stream | -      | 502 all_routes_failed                 | 3 0   | stream_error x3           | ERROR all_routes_failed              | -
an error event first          | stream | other  | other's answer                        | 1 1   | stream_error, ok          | SUCCESS                              | other
an error event after its role | stream | -      | 502 all_routes_failed                 | 3 0   | stream_error x3           | ERROR all_routes_failed              | -
an error event after its role | stream | other  | other's answer                        | 1 1   | stream_error, ok          | SUCCESS                              | other
an error event later          | json   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
an error event later          | stream | -      | broken off by stream_error            | 1 0   | stream_error              | ERROR stream_error                   | first
an error event later          | stream | other  | broken off by stream_error            | 1 0   | stream_error              | ERROR stream_error                   | first
an end before the first token | stream | -      | 502 all_routes_failed                 | 3 0   | stream_truncated x3       | ERROR all_routes_failed              | -
an end before the first token | stream | other  | other's answer                        | 1 1   | stream_truncated, ok      | SUCCESS                              | other
no terminal event             | json   | other  | other's answer                        | 1 1   | upstream_invalid, ok      | SUCCESS                              | other
no terminal event             | stream | -      | broken off by stream_truncated        | 1 0   | stream_truncated          | ERROR stream_truncated               | first
no terminal event             | stream | other  | broken off by stream_truncated        | 1 0   | stream_truncated          | ERROR stream_truncated               | first
`

export type Client =
  | { readonly kind: 'answer'; readonly by: 'first' | 'other' }
  | { readonly kind: 'error'; readonly status: number; readonly code: string; readonly retryAfter: string | null }
  | { readonly kind: 'refusal'; readonly status: number }
  | { readonly kind: 'broken'; readonly code: string }

/** One request of the table. */
export interface Row {
  readonly fault: string
  readonly stream: boolean
  readonly beside: boolean
  readonly client: Client
  /** Null: nobody counts. */
  readonly calls: { readonly first: number | null; readonly other: number }
  readonly attempts: readonly (string | null)[]
  readonly record: { readonly status: string; readonly errorClass: string | null }
  readonly selected: 'first' | 'other' | null
}

/** The table, a request a row. @throws Error for a line that cannot be read */
export function rows(table: string = TABLE): Row[] {
  const [, ...lines] = table.split('\n').filter((line) => line.trim() !== '')
  return lines.flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim())
    if (cells.length !== 8) throw new Error(`${cells.length} cells: ${line}`)
    const [fault, asked, beside, client, calls, attempts, record, selected] = cells as [string, ...string[]] & string[]
    const [first, other] = calls!.split(' ')
    const [status, errorClass = null] = record!.split(' ')
    const row = {
      fault,
      beside: beside === 'other',
      client: clientOf(client!),
      calls: { first: first === '?' ? null : Number(first), other: Number(other) },
      attempts: attempts!.split(', ').flatMap(attemptsOf),
      record: { status: status!, errorClass },
      selected: selected === 'first' || selected === 'other' ? selected : null,
    } as const
    const forms = { json: [false], stream: [true], both: [false, true] }[asked!]
    if (!forms) throw new Error(`${asked} is none of json, stream, both: ${line}`)
    return forms.map((stream) => ({ ...row, stream }))
  })
}

function attemptsOf(text: string): (string | null)[] {
  const [errorClass, times = '1'] = text.split(' x')
  return Array.from({ length: Number(times) }, () => (errorClass === 'ok' ? null : errorClass!))
}

function clientOf(text: string): Client {
  const answer = /^(first|other)'s answer$/.exec(text)
  if (answer) return { kind: 'answer', by: answer[1] as 'first' | 'other' }
  const broken = /^broken off by (\w+)$/.exec(text)
  if (broken) return { kind: 'broken', code: broken[1]! }
  const refusal = /^(\d+) as it came$/.exec(text)
  if (refusal) return { kind: 'refusal', status: Number(refusal[1]) }
  const error = /^(\d+) (\w+)(?:, retry-after (\d+))?$/.exec(text)
  if (error) return { kind: 'error', status: Number(error[1]), code: error[2]!, retryAfter: error[3] ?? null }
  throw new Error(`nothing that a client gets: ${text}`)
}
