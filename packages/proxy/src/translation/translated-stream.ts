import type { TokenUsage } from '@millrace/shared'

import type { StreamPart } from '../canonical/answer.ts'
import type { StreamReader } from '../canonical/wire.ts'
import type { StreamWriter } from '../canonical/writer.ts'
import { eventData, eventName } from '../stream/events.ts'
import { latin1FromUtf8, utf8FromLatin1 } from '../stream/json.ts'
import { usageSoFar, type InBandError, type StreamObserver } from '../stream/observed.ts'
import { ToolAnswerStream } from './answer-tool.ts'

/** A provider's stream, said in the client's API event by event. */
export class TranslatedStream implements StreamObserver {
  hasContent = false
  ended = false
  error: InBandError | null = null
  contentEvents = 0
  usageStart = -1
  usageEnd = -1
  /** As it was told with the beginning. */
  private begun: TokenUsage | null = null
  private told: TokenUsage | null = null
  private readonly reader: StreamReader
  private readonly writer: StreamWriter
  private readonly toolAnswer: ToolAnswerStream | null

  /** @param answerTool see {@link ToolAnswerStream}; null: there is none */
  constructor(reader: StreamReader, writer: StreamWriter, answerTool: string | null) {
    this.reader = reader
    this.writer = writer
    this.toolAnswer = answerTool === null ? null : new ToolAnswerStream(answerTool)
  }

  get usage(): TokenUsage | null {
    return this.told ?? (this.begun && usageSoFar(this.begun, this.contentEvents))
  }

  get sequence(): number {
    return this.writer.sequence
  }

  take(text: string, start: number, end: number): string {
    this.usageStart = -1
    const event = text.slice(start, end)
    const data = eventData(event)
    // After its end a stream says nothing more that could be believed.
    if (data === null || this.ended) return ''
    return this.guarded(utf16(data), eventName(event))
  }

  close(): string {
    this.usageStart = -1
    return this.ended ? '' : this.say(this.reader.close())
  }

  private guarded(data: string, name: string): string {
    try {
      return this.say(this.reader.take(data, name))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.error = { message: 'an event is nested too deep', type: null, code: null }
      return ''
    }
  }

  /** @returns bytes as latin1 */
  private say(parts: readonly StreamPart[]): string {
    let out = ''
    this.told = this.reader.usageSoFar ?? this.told
    for (const part of parts) {
      if (this.toolAnswer === null) out += this.sayPart(part, out.length)
      else for (const one of this.toolAnswer.take(part)) out += this.sayPart(one, out.length)
      if (this.error !== null) return ''
    }
    return out
  }

  private sayPart(part: StreamPart, at: number): string {
    switch (part.type) {
      case 'error':
        this.error = part.error
        return ''
      case 'usage':
        return this.sayUsage(part.usage, at)
      case 'start':
        this.begun ??= part.usage
        break
      case 'done':
        this.ended = true
        break
      case 'citation':
      case 'signature':
        break
      case 'finish':
        this.hasContent = true
        break
      default:
        this.hasContent = true
        this.contentEvents++
    }
    return latin1(this.writer.take(part))
  }

  private sayUsage(usage: TokenUsage, at: number): string {
    this.told = usage
    const event = latin1(this.writer.usage(usage))
    if (event !== '') {
      this.usageStart = at
      this.usageEnd = at + event.length
    }
    return event
  }
}

function utf16(latin1Text: string): string {
  return isAsciiOnly(latin1Text) ? latin1Text : utf8FromLatin1(latin1Text)
}

function latin1(text: string): string {
  return isAsciiOnly(text) ? text : latin1FromUtf8(text)
}

function isAsciiOnly(text: string): boolean {
  return !NOT_ASCII.test(text)
}

const NOT_ASCII = /[\u0080-\uffff]/
