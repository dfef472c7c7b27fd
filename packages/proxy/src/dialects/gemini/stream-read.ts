/** The pieces of `streamGenerateContent?alt=sse`: each an answer by itself, with what is new of its candidates. */
import type { TokenUsage } from '@millrace/shared'

import type { StreamPart, TokenLogprob } from '../../canonical/answer.ts'
import type { Signature } from '../../canonical/content.ts'
import { isObject, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import type { StreamReader } from '../../canonical/wire.ts'
import { blockReasonOf, headOf, indexOf, parseAnswer } from './answer-read.ts'
import { Candidate } from './candidate.ts'
import { readCitations } from './citations.ts'
import { readError } from './errors.ts'
import { blockedFinish, finishOf } from './finish.ts'
import { readLogprobs } from './logprobs.ts'
import { readCall, readInline, readOwn, signatureOf } from './parts-read.ts'
import type { Memo } from './request-write.ts'
import { readUsage } from './usage.ts'

/** There is no event for the end: what ends an answer is told once the provider has said all. */
export class GeminiStreamReader implements StreamReader {
  usageSoFar: TokenUsage | null = null
  private readonly memo: Memo
  private readonly candidates = new Map<number, Candidate>()
  private started = false
  private failed = false
  private blocked: string | null = null

  constructor(memo: Memo) {
    this.memo = memo
  }

  take(data: string): readonly StreamPart[] {
    const event = parsed(data)
    const error = readError(event)
    if (error !== null) {
      this.failed = true
      return [{ type: 'error', error }]
    }
    if (!isObject(event) || this.failed) return NOTHING
    const { candidates, promptFeedback, usageMetadata } = event
    if (!Array.isArray(candidates) && !isObject(promptFeedback) && !isObject(usageMetadata)) return NOTHING
    const parts: StreamPart[] = []
    this.usageSoFar = readUsage(usageMetadata) ?? this.usageSoFar
    if (!this.started) {
      this.started = true
      parts.push({ type: 'start', ...headOf(event), usage: this.usageSoFar })
    }
    this.blocked = blockReasonOf(promptFeedback) ?? this.blocked
    for (const [i, candidate] of listOf(candidates).entries()) {
      if (isObject(candidate)) this.takeCandidate(candidate, indexOf(candidate, i), parts)
    }
    return parts
  }

  close(): readonly StreamPart[] {
    if (this.failed) return NOTHING
    const parts: StreamPart[] = []
    if (this.candidates.size === 0) {
      if (this.blocked === null) return NOTHING
      parts.push({ type: 'finish', choice: 0, finish: blockedFinish(this.blocked) })
    }
    for (const [choice, { finishReason, calls }] of this.candidates) {
      if (finishReason === null) return NOTHING
      parts.push({ type: 'finish', choice, finish: finishOf(finishReason, calls) })
    }
    if (this.usageSoFar !== null) parts.push({ type: 'usage', usage: this.usageSoFar })
    parts.push({ type: 'done' })
    return parts
  }

  private takeCandidate(candidate: JsonObject, choice: number, parts: StreamPart[]): void {
    let state = this.candidates.get(choice)
    if (state === undefined) this.candidates.set(choice, (state = new Candidate()))
    let logprobs = readLogprobs(candidate['logprobsResult'])
    const { finishReason } = candidate
    for (const part of listOf(objectOf(candidate['content'])['parts'])) {
      for (const whole of isObject(part) ? state.partial.take(part) : []) {
        if (this.takePart(whole, choice, state, logprobs, parts)) logprobs = null
      }
    }
    if (textOf(finishReason) !== '') {
      for (const call of state.partial.end()) this.takePart(call, choice, state, null, parts)
    }
    if (logprobs !== null) parts.push({ type: 'text', choice, block: state.blockOf('text'), text: '', logprobs })
    for (const citation of readCitations(candidate, state.positions)) {
      parts.push({ type: 'citation', choice, block: state.blockOf('text'), citation })
    }
    this.signText(choice, state, parts)
    state.finishReason = textOf(finishReason) || state.finishReason
  }

  /** @returns whether the logprobs are told with it */
  private takePart(
    part: JsonObject,
    choice: number,
    state: Candidate,
    logprobs: readonly TokenLogprob[] | null,
    parts: StreamPart[],
  ): boolean {
    this.signText(choice, state, parts)
    const call = readCall(part, this.memo)
    if (call !== null) {
      state.calls = true
      const block = state.next(null)
      const { id, name, kind, signature } = call
      parts.push({ type: 'tool_call', choice, block, id, name, ...(kind === undefined ? {} : { kind }) })
      parts.push({ type: 'arguments', choice, block, text: call.arguments })
      if (signature !== undefined) parts.push({ type: 'signature', choice, block, signature })
      return false
    }
    const signature = signatureOf(part)
    const text = textOf(part['text'])
    if (part['thought'] === true) {
      if (text !== '' || signature !== null) {
        const block = state.blockOf('reasoning')
        parts.push({ type: 'reasoning', choice, block, text, summary: true })
        if (signature !== null) this.sign(signature, choice, state, parts)
      }
      return false
    }
    const media = readInline(part)
    const own = media === null ? readOwn(part) : null
    if (own !== null) {
      parts.push({ type: 'part', choice, block: state.next(null), part: { type: 'own', own } })
      return false
    }
    if (media !== null) parts.push({ type: 'part', choice, block: state.next(null), part: media })
    else if (text !== '') this.say(text, choice, state, logprobs, parts)
    state.signature = signature
    if (media !== null) this.signText(choice, state, parts)
    return media === null && text !== ''
  }

  private say(
    text: string,
    choice: number,
    state: Candidate,
    logprobs: readonly TokenLogprob[] | null,
    parts: StreamPart[],
  ): void {
    state.add(text)
    const block = state.blockOf('text')
    parts.push({ type: 'text', choice, block, text, ...(logprobs === null ? {} : { logprobs }) })
  }

  /** The signature of a text, or of an image, stands for itself. */
  private signText(choice: number, state: Candidate, parts: StreamPart[]): void {
    const { signature } = state
    if (signature === null) return
    state.signature = null
    parts.push({ type: 'reasoning', choice, block: state.next('reasoning'), text: '' })
    this.sign(signature, choice, state, parts)
  }

  /** Nothing follows a signature in its block. */
  private sign(signature: Signature, choice: number, state: Candidate, parts: StreamPart[]): void {
    parts.push({ type: 'signature', choice, block: state.block, signature })
    state.kind = null
  }
}

const NOTHING: readonly StreamPart[] = []

function parsed(data: string): unknown {
  try {
    return parseAnswer(data)
  } catch {
    return undefined
  }
}
