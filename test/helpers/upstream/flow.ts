/** Answers and requests of an awkward size or pace, for back-pressure. */
import { writeFramed } from './answers.ts'
import { completionEvents } from './completion.ts'
import type { Behaviour } from './exchange.ts'

/** A stream of events of so many bytes each without end, as fast as the reader takes it: `bytesSent` tells how much it took. */
export function endless(eventBytes = 16 * 1024): Behaviour {
  return async (exchange) => {
    const [event] = completionEvents(exchange.seen.model ?? 'unknown', false, ['x'.repeat(eventBytes)]).slice(1)
    const bytes = Buffer.from(`data: ${event}\n\n`)
    exchange.head(200, { 'content-type': 'text/event-stream' })
    while (!exchange.signal.aborted) {
      await exchange.writeWhole(bytes)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** An unstreamed answer of so many bytes (valid JSON), as fast as the reader takes it; or half of it, and then this. */
export function huge(bytes: number, half?: 'cut' | 'stall'): Behaviour {
  return async (exchange) => {
    const head = `{"id":"huge","object":"chat.completion","model":${JSON.stringify(exchange.seen.model ?? 'unknown')},"pad":"`
    const tail = '","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}'
    exchange.head(200, { 'content-type': 'application/json', 'content-length': bytes })
    await exchange.writeWhole(head)
    const block = Buffer.alloc(64 * 1024, 'x')
    const pad = bytes - head.length - tail.length
    for (let left = half ? pad >> 1 : pad; left > 0 && !exchange.signal.aborted; left -= block.length) {
      await exchange.writeWhole(left < block.length ? block.subarray(0, left) : block)
    }
    if (half === 'stall') return exchange.untilOver()
    if (half === 'cut') return exchange.cut()
    await exchange.writeWhole(tail)
    exchange.end()
  }
}

/** Reads none of the request's body until `release` resolves, then answers by `then`. */
export function slowReader(release: Promise<void>, then: Behaviour): Behaviour {
  const behaviour: Behaviour = async (exchange) => {
    exchange.request.pause()
    await release
    await exchange.body()
    await then(exchange)
  }
  return Object.assign(behaviour, { beforeBody: true })
}

/** Answers by `behaviour` before the request's body has been read, as a server that refuses by headers alone. */
export function early(behaviour: Behaviour): Behaviour {
  return Object.assign((exchange: Parameters<Behaviour>[0]) => behaviour(exchange), { beforeBody: true })
}

/** One behaviour after another, a request each; the last of them answers all that follow. */
export function inTurn(...behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  let turn = 0
  return (exchange) => behaviours[Math.min(turn++, behaviours.length - 1)]!(exchange)
}

/** By the upstream key that the request brings; with any other it is answered by `otherwise`. */
export function byKey(keys: Readonly<Record<string, Behaviour>>, otherwise: Behaviour): Behaviour {
  return (exchange) => {
    const key = String(exchange.seen.headers['authorization']).replace(/^Bearer /, '')
    return (keys[key] ?? otherwise)(exchange)
  }
}

/** Answers by `then`, so many milliseconds after the request came. */
export function late(milliseconds: number, then: Behaviour): Behaviour {
  return async (exchange) => {
    await exchange.pause(milliseconds)
    if (!exchange.signal.aborted) await then(exchange)
  }
}

/** The beginning of a stream, with two words; and the rest not before `release` resolves. */
export function halfway(release: Promise<void>): Behaviour {
  return async (exchange) => {
    const data = completionEvents(exchange.seen.model ?? 'unknown', exchange.wantsUsage)
    exchange.head(200, { 'content-type': 'text/event-stream' })
    await writeFramed(exchange, data.slice(0, 3), { done: null })
    await Promise.race([release, exchange.untilOver()])
    if (exchange.signal.aborted) return
    await writeFramed(exchange, data.slice(3), {})
    exchange.end()
  }
}

/** Answers by `then`, but not before `release` resolves. */
export function onceReleased(release: Promise<void>, then: Behaviour): Behaviour {
  return async (exchange) => {
    await Promise.race([release, exchange.untilOver()])
    if (!exchange.signal.aborted) await then(exchange)
  }
}
