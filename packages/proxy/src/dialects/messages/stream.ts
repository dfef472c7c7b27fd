/** The events of a streamed message as they pass from one who speaks Anthropic's API: its usage is read, its model renamed. */
import type { TokenUsage } from '@millrace/shared'

import { isObject, jsonOf } from '../../canonical/values.ts'
import { editData, eventData, eventName } from '../../stream/events.ts'
import { findMembers, utf8FromLatin1, type Edit, type Range } from '../../stream/json.ts'
import { usageSoFar, type InBandError, type StreamObserver } from '../../stream/observed.ts'
import { readErrorObject } from './answer-read.ts'
import { readUsage } from './usage.ts'

const MEMBERS = new Set(['type', 'message', 'usage', 'delta', 'content_block'])
const MESSAGE_MEMBERS = new Set(['model', 'usage', 'content'])
const REASON = new Set(['stop_reason'])
const EMPTY = /^\[\s*\]$|^null$|^$/

/** How nearly all events of a stream begin. */
const DELTAS = ['event: content_block_delta\n', 'data: {"type":"content_block_delta"']
/** Blocks that come to have content by their deltas. */
const BEGUN_EMPTY = /"type"\s*:\s*"(?:text|thinking)"/

export class MessageStream implements StreamObserver {
  hasContent = false
  ended = false
  error: InBandError | null = null
  contentEvents = 0
  readonly usageStart = -1
  readonly usageEnd = -1
  readonly sequence = 0
  private readonly model: string
  /** As the newest event has told it. */
  private told: TokenUsage | null = null
  private allTold = false

  /** @param model the name that the client asked for, as a JSON literal in latin1 (see json.ts) */
  constructor(model: string) {
    this.model = model
  }

  get usage(): TokenUsage | null {
    return this.told === null || this.allTold ? this.told : usageSoFar(this.told, this.contentEvents)
  }

  take(text: string, start: number, end: number): string {
    const event = text.slice(start, end)
    if (event.startsWith(DELTAS[0]!) || event.startsWith(DELTAS[1]!)) {
      this.hasContent = true
      this.contentEvents++
      return event
    }
    return this.takeCarefully(event)
  }

  close(): string {
    return ''
  }

  private takeCarefully(event: string): string {
    const data = eventData(event)
    if (data === null) return event
    const members = findMembers(data, MEMBERS)
    const type = valueAt(data, members?.get('type'))
    if (type === 'error' || eventName(event) === 'error') {
      this.error = errorOf(data)
      return ''
    }
    switch (type) {
      case 'message_start':
        return this.begin(event, data, members?.get('message'))
      case 'content_block_delta':
        this.hasContent = true
        this.contentEvents++
        return event
      case 'content_block_start':
        if (!BEGUN_EMPTY.test(textAt(data, members?.get('content_block')))) this.hasContent = true
        return event
      case 'message_delta': {
        const usage = readUsage(valueAt(data, members?.get('usage')), this.told)
        if (usage !== null) {
          this.told = usage
          this.allTold = true
        }
        const reason = findMembers(textAt(data, members?.get('delta')), REASON)?.get('stop_reason')
        if (reason !== undefined) this.hasContent = true
        return event
      }
      case 'message_stop':
        this.ended = true
        return event
      default:
        return event
    }
  }

  private begin(event: string, data: string, ranges: readonly Range[] | undefined): string {
    const edits: Edit[] = []
    for (const { start, end } of ranges ?? []) {
      const message = data.slice(start, end)
      const members = findMembers(message, MESSAGE_MEMBERS)
      const usage = readUsage(valueAt(message, members?.get('usage')))
      if (usage !== null) this.told = usage
      if (!EMPTY.test(textAt(message, members?.get('content')))) this.hasContent = true
      for (const model of members?.get('model') ?? []) {
        edits.push({ start: start + model.start, end: start + model.end, literal: this.model })
      }
    }
    return edits.length === 0 ? event : editData(event, data, edits)
  }
}

function textAt(data: string, ranges: readonly Range[] | undefined): string {
  const range = ranges?.at(-1)
  return range ? data.slice(range.start, range.end) : ''
}

function valueAt(data: string, ranges: readonly Range[] | undefined): unknown {
  return jsonOf(textAt(data, ranges))
}

function errorOf(data: string): InBandError {
  const text = utf8FromLatin1(data)
  const value = jsonOf(text)
  return isObject(value) ? readErrorObject(value) : { message: text, type: null, code: null }
}
