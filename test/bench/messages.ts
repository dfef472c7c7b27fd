/** What the bench's processes say to each other over IPC, and the shape of the traffic that both ends must agree on. */

/** The model that clients ask for, and what the provider calls it: of one length, so that a rewritten answer is as long as before. */
export const ALIAS = 'bench-alias'
export const PROVIDER_MODEL = 'bench-model'

/** The same from ten providers, by weight. */
export const TEN_ALIAS = 'bench-tenth'
/** The same from ten providers, by latency, with users that stay with theirs. */
export const ROUTED_ALIAS = 'bench-route'

/** The same from a provider that is dead, with a healthy one beside it; one for each storm, for each must find a closed breaker. */
export const stormAlias = (number: number): string => `bench-sto${String(number).padStart(2, '0')}`

/** A user that the load generator replaces in each request by another one. */
export const VARYING_USER = 'user-000000'

/** Bytes of an unstreamed request's and answer's body. */
export const JSON_BYTES = 1_024

/** How the upstream streams; it stands in the path's query, which every target passes on or replaces. */
export interface StreamShape {
  /** Content events of one stream, without role, finish and [DONE]. */
  readonly events: number
  /** Milliseconds between events; 0: as fast as the socket takes them, several events a write. */
  readonly gapMs: number
}

export const AT_A_GAP: StreamShape = { events: 100, gapMs: 20 }
export const SATURATED: StreamShape = { events: 1_000, gapMs: 0 }

/** Events in one write of the saturated stream. */
export const EVENTS_A_WRITE = 8

/** A job for the load generator. */
export interface Job {
  readonly type: 'job'
  readonly port: number
  /** The whole request, head and body, in latin1. */
  readonly request: string
  /** Bytes of the answer's body, without transfer coding. */
  readonly expectedBytes: number
  readonly connections: number
  /** No new request is begun after so many seconds, or so many requests. */
  readonly seconds: number
  readonly maxRequests: number
  /** Open loop: so many requests a second. Absent: each connection sends its next as soon as it has an answer. */
  readonly ratePerSecond?: number
  /** Whether a wrong answer is counted, and the job goes on. */
  readonly tolerant?: boolean
}

export interface JobResult {
  readonly type: 'result'
  /** Those with the right answer. */
  readonly requests: number
  /** Those with another, or none. Of tolerant jobs. */
  readonly failures: number
  readonly seconds: number
  /** Milliseconds, sorted. Only of open loops. */
  readonly latencies: readonly number[]
  /** What was wrong with the first answer that was wrong; the job stops there. */
  readonly error: string | null
  /** The first answer's body. */
  readonly sample: string
}

/** What the dead provider says when it is asked. */
export interface DeadCalls {
  readonly type: 'calls'
  /** Epoch milliseconds of each request since it was last asked. */
  readonly at: readonly number[]
}

/** {@link JSON_BYTES} of a chat completion request. */
export function requestBody(model: string, stream: StreamShape | null, user?: string): string {
  const body = (pad: string): string =>
    JSON.stringify({
      model,
      ...(stream ? { stream: true, user: `e${stream.events}g${stream.gapMs}` } : user === undefined ? {} : { user }),
      temperature: 0.7,
      messages: [
        { role: 'system', content: 'You are a helpful assistant.' },
        { role: 'user', content: pad },
      ],
    })
  return body('y'.repeat(JSON_BYTES - body('').length))
}

/** An unstreamed answer's body. */
export function answerBody(model: string): string {
  const body = (pad: string): string =>
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1_770_933_892,
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: pad, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 200, completion_tokens: 150, total_tokens: 350 },
    })
  return body('z'.repeat(JSON_BYTES - body('').length))
}

function event(model: string, delta: object, finish: string | null = null): string {
  const chunk = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_770_933_892,
    model,
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

/** A stream's events: what goes before the content, one content event, and what goes after. */
export function streamEvents(model: string): { first: string; content: string; last: string; usage: string } {
  const usage = { prompt_tokens: 200, completion_tokens: 100, total_tokens: 300 }
  const chunk = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_770_933_892,
    model,
    choices: [],
    usage,
  }
  return {
    first: event(model, { role: 'assistant', content: '', refusal: null }),
    content: event(model, { content: ' word' }),
    last: event(model, {}, 'stop'),
    usage: `data: ${JSON.stringify(chunk)}\n\n`,
  }
}

export const DONE = 'data: [DONE]\n\n'

/** Bytes of a whole stream as a client sees it that did not ask for usage. */
export function streamBytes(shape: StreamShape): number {
  const { first, content, last } = streamEvents(ALIAS)
  return first.length + shape.events * content.length + last.length + DONE.length
}

/** Chunks of a whole stream: content and what frames it. */
export function streamChunks(shape: StreamShape): number {
  return shape.events + 3
}
