/** Pages of an upstream that caches may keep, and requests for them. */
import type { Answer } from '../../helpers/http.ts'
import type { Behaviour } from '../../helpers/upstream.ts'
import { raw } from '../../helpers/upstream/answers.ts'
import type { AskOptions, Passing } from './passing.ts'

type Headers = Readonly<Record<string, string | string[]>>

export const FRESH = 'public, max-age=60'
/** Stored, and stale from the first. */
export const STALE = { 'cache-control': FRESH, age: '100' }
export const DATE = 'Tue, 01 Sep 2026 10:00:00 GMT'

const TEXT = { 'content-type': 'text/plain' }

export class CachedPages {
  readonly #passing: Passing
  #pages = 0

  constructor(passing: Passing) {
    this.#passing = passing
  }

  /** A path that nothing was asked for before. */
  add(behaviour: Behaviour): string {
    const path = `/v1/images/page-${++this.#pages}`
    this.#passing.page(path, behaviour)
    return path
  }

  /** With a page that says how often it was fetched. */
  counting(headers: Headers): string {
    let count = 0
    return this.add((exchange) => raw(`page ${++count}`, { headers: { ...TEXT, ...headers } })(exchange))
  }

  /** With a page that has a validator; who brings that is answered by a 304 with these headers. */
  validated(validator: Headers, headers: Headers, confirming: Headers = {}): string {
    let count = 0
    return this.add((exchange) => {
      const { 'if-none-match': tag, 'if-modified-since': date } = exchange.seen.headers
      const brought = tag ?? date
      if (brought !== undefined && brought === validator[tag === undefined ? 'last-modified' : 'etag'])
        return raw('', { status: 304, headers: { ...validator, ...confirming } })(exchange)
      return raw(`page ${++count}`, { headers: { ...TEXT, ...validator, ...headers } })(exchange)
    })
  }

  ask(path: string, headers: AskOptions['headers'] = {}, more: AskOptions = {}): Promise<Answer> {
    return this.#passing.ask(path, { ...more, headers })
  }

  /** How often the upstream was asked for it. */
  calls(path: string): number {
    return this.#passing.asked(path).length
  }
}

/** What an answer says of the cache. */
export function said({ headers }: Answer): unknown[] {
  return [headers['x-cache'], headers['cache-status']]
}
