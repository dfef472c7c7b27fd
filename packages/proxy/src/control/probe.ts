import { GatewayError, newId, type AttemptErrorClass, type ProviderTestOutcome } from '@millrace/shared'

import { Bytes } from '../bytes.ts'
import { chatCompletions } from '../endpoints/chat-completions.ts'
import { classOfStatus, redact, refusalMessage } from '../request/failure.ts'
import type { Credential, ReachedProvider } from '../snapshot/compiled.ts'
import { Asked } from '../translation/asked.ts'
import type { Translation } from '../translation/translation.ts'
import { UpstreamCall, type Receiver, type UpstreamHeaders } from '../upstream/call.ts'
import type { Deadlines } from '../upstream/deadlines.ts'

/** OpenAI's own newest models know only the one, who else speaks like it often only the other. */
const LIMIT_OF: ReadonlyMap<string, string> = new Map([
  ['OPENAI', 'max_completion_tokens'],
  ['AZURE_OPENAI', 'max_completion_tokens'],
])
/** The fewest that every API takes. */
const MOST_TOKENS = 16
const MOST_BYTES = 1_048_576
const LONGEST_MESSAGE = 500

/** One smallest chat completion that is nobody's: no exchange, no attempt, and so nothing that learns of it. */
export class Probe implements Receiver {
  private readonly provider: ReachedProvider
  private readonly credential: Credential | null
  private readonly translation: Translation
  private readonly asked: Asked
  private readonly call: UpstreamCall
  private readonly answer = new Bytes()
  private readonly settled = Promise.withResolvers<ProviderTestOutcome>()
  private began = 0
  private status: number | null = null
  private headers: UpstreamHeaders = {}

  /** @param waitMs until when there has to be a whole answer */
  constructor(
    provider: ReachedProvider,
    model: string,
    credential: Credential | null,
    deadlines: Deadlines,
    waitMs: number,
  ) {
    const { connection, timeouts } = provider
    const limit = LIMIT_OF.get(provider.provider.kind) ?? 'max_tokens'
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'ping' }], [limit]: MOST_TOKENS })
    const id = newId()
    this.provider = provider
    this.credential = credential
    this.translation = connection.translations.of(chatCompletions, model)
    this.asked = new Asked(chatCompletions.parse(Buffer.from(body)), model, {
      id,
      requestId: id,
      startedAt: Date.now(),
    })
    this.call = new UpstreamCall(this, { ...timeouts, total: Math.min(timeouts.total, waitMs) }, deadlines, false)
  }

  /** Never rejects. */
  send(): Promise<ProviderTestOutcome> {
    const { translation, asked, credential } = this
    const { upstream, sign, targets } = this.provider.connection
    this.began = performance.now()
    try {
      const headers = credential === null ? [] : [...credential.headers]
      headers.push('content-type', 'application/json', 'accept-encoding', 'identity')
      translation.addHeaders(headers, {})
      const { path } = translation.targetAt(targets, asked.model, false)
      const request = { path, method: 'POST', headers, body: translation.encode(asked) }
      if (sign !== undefined && credential !== null) sign(credential.apiKey, request)
      this.call.send(translation.upstream ?? upstream, request)
    } catch (error) {
      this.fail(error instanceof GatewayError ? error.code : 'internal_error', messageOf(error))
    }
    return this.settled.promise
  }

  sending(): void {}

  begin(status: number, headers: UpstreamHeaders): void {
    this.status = status
    this.headers = headers
  }

  data(chunk: Buffer): void {
    this.answer.append(chunk)
    if (this.answer.length <= MOST_BYTES) return
    this.call.abort()
    this.fail('upstream_invalid', 'the answer is too large')
  }

  end(): void {
    const status = this.status!
    const body = this.answer.take()
    if (status >= 300) {
      const error = this.translation.errorOf(status, body, this.headers)
      const message = error ? `HTTP ${status}: ${error.message}` : refusalMessage(status, body)
      return this.fail(classOfStatus(error?.status ?? status), message)
    }
    const answer = this.translation.read(this.asked, body.toString('latin1'), this.headers)
    if (answer === null) return this.fail('upstream_invalid', 'the answer is not what the API promises')
    if ('message' in answer) return this.fail('upstream_invalid', answer.message)
    this.settled.resolve({ ok: true, latencyMs: this.latencyMs, httpStatus: status, errorClass: null, message: null })
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    this.fail(errorClass, message)
  }

  crashed(error: unknown): void {
    this.fail('internal_error', messageOf(error))
  }

  private get latencyMs(): number {
    return performance.now() - this.began
  }

  private fail(errorClass: string, message: string): void {
    const shown = redact(message, this.credential?.apiKey).slice(0, LONGEST_MESSAGE)
    const { latencyMs, status: httpStatus } = this
    this.settled.resolve({ ok: false, latencyMs, httpStatus, errorClass, message: shown })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
