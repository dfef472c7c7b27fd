/** The events of a streamed response as they pass: `model` is renamed where it stands, usage read, all else left as it came. */
import type { TokenUsage } from '@millrace/shared'

import { jsonOf } from '../../canonical/values.ts'
import { editData, eventData, eventName } from '../../stream/events.ts'
import { findMembers, replaceAll, utf8FromLatin1, type Range } from '../../stream/json.ts'
import type { InBandError, StreamObserver } from '../../stream/observed.ts'
import { readResponseError } from './errors.ts'
import { readResponseUsage } from './usage.ts'
import { sequenceOf } from './values.ts'

/** Those that hold a response, with its model. */
const OF_RESPONSES: ReadonlySet<string> = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.completed',
  'response.incomplete',
  'response.failed',
])
const ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete'])
const TYPE = new Set(['type'])
const EVENT_MEMBERS = new Set(['response', 'error'])
const RESPONSE_MEMBERS = new Set(['model', 'usage', 'error'])

export class ResponsesStream implements StreamObserver {
  hasContent = false
  ended = false
  error: InBandError | null = null
  usage: TokenUsage | null = null
  contentEvents = 0
  readonly usageStart = -1
  readonly usageEnd = -1
  sequence = 0
  private readonly model: string

  /** @param model the name that the client asked for, as a JSON literal in latin1 (see json.ts) */
  constructor(model: string) {
    this.model = model
  }

  take(text: string, start: number, end: number): string {
    const event = text.slice(start, end)
    const type = typeOf(event)
    if (type === '') return event
    this.sequence = (sequenceOf(event) ?? this.sequence) + 1
    if (type === 'error') return this.fail(eventData(event) ?? '')
    if (OF_RESPONSES.has(type)) return this.takeResponse(event, type)
    if (type.endsWith('.delta')) {
      this.contentEvents++
      this.hasContent = true
    } else if (!this.hasContent) this.hasContent = isContent(type, event)
    return event
  }

  close(): string {
    return ''
  }

  private takeResponse(event: string, type: string): string {
    const data = eventData(event) ?? ''
    const responses = findMembers(data, EVENT_MEMBERS)?.get('response') ?? []
    const models: Range[] = []
    let error: string | null = null
    for (const { start, end } of responses) {
      const response = data.slice(start, end)
      const members = findMembers(response, RESPONSE_MEMBERS)
      const [usage, failure] = [members?.get('usage')?.at(-1), members?.get('error')?.at(-1)]
      if (usage) this.usage = readResponseUsage(jsonOf(response.slice(usage.start, usage.end))) ?? this.usage
      if (failure) error = response.slice(failure.start, failure.end)
      for (const model of members?.get('model') ?? [])
        models.push({ start: start + model.start, end: start + model.end })
    }
    if (type === 'response.failed') return this.fail(error ?? '')
    if (ENDS.has(type)) this.hasContent = this.ended = true
    return models.length === 0 ? event : editData(event, data, replaceAll(models, this.model))
  }

  private fail(json: string): string {
    const { message, type, code } = readResponseError(jsonOf(utf8FromLatin1(json)))
    this.error = { message, type, code }
    // The client is not told this event: the gateway's own has its number.
    this.sequence--
    return ''
  }
}

/** As most write it, it comes first. */
const FIRST_TYPE = /(?:^|[\r\n])data: ?\{\s*"type"\s*:\s*"([a-z_.]+)"/
/** What has no type and tells an error is one: some servers keep to chat's form of it. */
const ERROR = /(?:^|[\r\n])data: ?\{\s*"error"\s*:\s*\{/

/** Empty: it is no event of a response. */
function typeOf(event: string): string {
  const first = FIRST_TYPE.exec(event)
  if (first) return first[1]!
  const data = eventData(event)
  if (data === null) return ''
  const range = findMembers(data, TYPE)?.get('type')?.at(-1)
  const type = range && jsonOf(data.slice(range.start, range.end))
  if (typeof type === 'string') return type
  return eventName(event) || (ERROR.test(event) ? 'error' : '')
}

/** What begins a message, or a thought, tells nothing yet; a call tells its tool's name. */
function isContent(type: string, event: string): boolean {
  switch (type) {
    case 'response.output_item.added':
      return !/"type"\s*:\s*"(?:message|reasoning)"/.test(event)
    case 'response.content_part.added':
    case 'response.reasoning_summary_part.added':
    case 'keepalive':
      return false
    default:
      return type.startsWith('response.')
  }
}
