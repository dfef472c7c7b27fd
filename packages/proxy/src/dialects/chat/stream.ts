/** The events of a streamed chat completion: OpenAI's `chat.completion.chunk`, as every compatible provider sends it. */
import type { TokenUsage } from '@millrace/shared'

import { jsonOf } from '../../canonical/values.ts'
import { dataLines, editData, eventData, eventName } from '../../stream/events.ts'
import { findMembers, replaceAll, splice, type Range } from '../../stream/json.ts'
import type { InBandError, StreamObserver } from '../../stream/observed.ts'
import { inBandError } from './answer.ts'
import { usageInChunk } from './usage-in-chunk.ts'
import { readChatUsage } from './usage.ts'

const MEMBERS = new Set(['model', 'usage', 'error', 'choices', 'x_groq'])

export class ChatCompletionStream implements StreamObserver {
  hasContent = false
  ended = false
  error: InBandError | null = null
  usage: TokenUsage | null = null
  contentEvents = 0
  usageStart = -1
  usageEnd = -1
  readonly sequence = 0
  private readonly model: string
  private readonly dropUsageChunk: boolean
  /** Of choices whether they have ended, by their index; null: the stream's own end is waited for. */
  private readonly endings: Map<number, boolean> | null
  /** How events of this stream begin, up to the end of `model`'s value; and the same with the client's model in it. */
  private head = ''
  private rewrittenHead = ''

  /**
   * @param model the name that the client asked for, as a JSON literal in latin1 (see json.ts)
   * @param dropUsageChunk whether the chunk that only tells usage is left out
   * @param endsWithoutDone whether it is whole once its choices have ended: the client gets the `[DONE]` that was not sent
   */
  constructor(model: string, dropUsageChunk: boolean, endsWithoutDone = false) {
    this.model = model
    this.dropUsageChunk = dropUsageChunk
    this.endings = endsWithoutDone ? new Map() : null
  }

  take(text: string, start: number, end: number): string {
    const event = text.slice(start, end)
    if (this.hasContent && this.head !== '' && this.endings === null && event.startsWith(this.head)) {
      const rest = event.slice(this.head.length)
      if (!mayHoldMore(rest)) {
        this.contentEvents++
        this.usageStart = -1
        return this.rewrittenHead + rest
      }
    }
    return this.takeCarefully(event)
  }

  private takeCarefully(event: string): string {
    this.usageStart = -1
    const data = eventData(event)
    if (data === null) return event
    if (data.trim() === '[DONE]') {
      this.ended = true
      return event
    }
    const members = findMembers(data, MEMBERS)
    const named = eventName(event) === 'error'
    if (members === null && !named) return event

    const error = named ? (jsonOf(data) ?? data) : value(data, members?.get('error'))
    if (error) {
      this.error = inBandError(error)
      return ''
    }
    const choices = value(data, members?.get('choices'))
    const usage = readChatUsage(value(data, members?.get('usage')))
    this.usage = usage ?? usageInChunk({ choices, x_groq: value(data, members?.get('x_groq')) }) ?? this.usage
    const empty = !Array.isArray(choices) || choices.length === 0
    if (!empty && this.endings !== null) for (const choice of choices) noteEnding(choice, this.endings)
    const onlyUsage = usage !== null && empty
    if (onlyUsage && this.dropUsageChunk) return ''
    if (!empty && choices.some(hasContent)) {
      this.hasContent = true
      this.contentEvents++
    }
    const rewritten = this.rewrite(event, data, members?.get('model') ?? [])
    if (onlyUsage) {
      this.usageStart = 0
      this.usageEnd = rewritten.length
    }
    return rewritten
  }

  close(): string {
    const { endings } = this
    if (endings === null || endings.size === 0 || [...endings.values()].includes(false)) return ''
    this.usageStart = -1
    this.ended = true
    return 'data: [DONE]\n\n'
  }

  /** Lines are parted as they were: the edited data has as many, since no literal has a line end in it. */
  private rewrite(event: string, data: string, models: readonly Range[]): string {
    if (models.length === 0) return event
    const lines = dataLines(event)
    const [only] = lines
    if (lines.length === 1 && only) {
      const ranges = models.map(({ start, end }) => ({ start: start + only.start, end: end + only.start }))
      this.rememberHead(event, ranges)
      return splice(event, replaceAll(ranges, this.model))
    }
    return editData(event, data, replaceAll(models, this.model))
  }

  private rememberHead(event: string, models: readonly Range[]): void {
    const [model] = models
    if (models.length !== 1 || !model) return
    this.head = event.slice(0, model.end)
    this.rewrittenHead = event.slice(0, model.start) + this.model
  }
}

/**
 * Whether the rest of an event, after its model, may hold anything but a delta: another of the members that matter,
 * however spelt, or another line. Quotes inside JSON strings are escaped, so that text which only speaks of "usage"
 * does not match.
 */
function mayHoldMore(rest: string): boolean {
  if (rest.includes('"model"') || rest.includes('"error"') || holdsUsage(rest)) return true
  // Escaped letters of their names begin so.
  if (rest.includes('\\u006') || rest.includes('\\u007')) return true
  const cr = rest.indexOf('\r')
  return rest.indexOf('\n') < rest.length - 3 || (cr >= 0 && cr < rest.length - 4)
}

function holdsUsage(rest: string): boolean {
  const at = rest.indexOf('"usage"')
  return at >= 0 && !rest.startsWith(':null', at + 7)
}

function value(data: string, ranges: readonly Range[] | undefined): unknown {
  const range = ranges?.at(-1)
  return range ? jsonOf(data.slice(range.start, range.end)) : undefined
}

function noteEnding(choice: unknown, endings: Map<number, boolean>): void {
  if (typeof choice !== 'object' || choice === null) return
  const { index, finish_reason: reason } = choice as Record<string, unknown>
  const place = typeof index === 'number' ? index : 0
  endings.set(place, endings.get(place) === true || filled(reason))
}

/** What a client would show or act on; a chunk that only names the role is not. */
function hasContent(choice: unknown): boolean {
  if (typeof choice !== 'object' || choice === null) return false
  const { delta, text, finish_reason } = choice as Record<string, unknown>
  if (filled(text) || filled(finish_reason)) return true
  if (typeof delta !== 'object' || delta === null) return false
  const { content, refusal, reasoning, reasoning_content, tool_calls, function_call, audio } = delta as Record<
    string,
    unknown
  >
  return [content, refusal, reasoning, reasoning_content, tool_calls, function_call, audio].some(filled)
}

function filled(part: unknown): boolean {
  if (typeof part === 'string' || Array.isArray(part)) return part.length > 0
  return typeof part === 'object' && part !== null
}
