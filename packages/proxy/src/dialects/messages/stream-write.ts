/** Says a streamed answer as Anthropic's Messages API does: one block after the other, then why it ended and what it used. */
import type { TokenUsage } from '@millrace/shared'

import type { Finish, StreamPart } from '../../canonical/answer.ts'
import type { Part, Signature } from '../../canonical/content.ts'
import { TEXT_MEMBER } from '../../canonical/tool-text.ts'
import { isObject, type JsonObject } from '../../canonical/values.ts'
import { withoutRequest, type Saying, type StreamSaying, type StreamWriter } from '../../canonical/writer.ts'
import { redactedBlock, signatureBlock, signatureText, UNSIGNED, writeAnswerBlocks } from './answer-blocks.ts'
import { CallsInTurn } from './calls-in-turn.ts'
import { writeCitation } from './citations.ts'
import { finishMembers } from './finish.ts'
import { callIdOf, messageIdOf } from './ids.ts'
import { writeCounts, writeTier, writeUsage } from './usage.ts'

type Kind = 'text' | 'thinking' | 'tool'
type Start = Extract<StreamPart, { type: 'start' }>

const PING = said('ping', '"type":"ping"')
const NOT_STARTED: Start = {
  type: 'start',
  id: '',
  created: null,
  usage: null,
  serviceTier: null,
  systemFingerprint: null,
}

export class MessagesWriter implements StreamWriter {
  readonly sequence = 0
  private readonly saying: StreamSaying
  private started = false
  /** The open block's kind; null: none is open. */
  private kind: Kind | null = null
  /** The number of the open block's part in the canonical answer. */
  private part = -1
  /** The index of the newest block. */
  private index = -1
  private called = false
  private readonly inTurn = new CallsInTurn()
  private readonly customs = new Set<number>()
  /** Whether the open block's thoughts have their signature. */
  private signed = false
  /** Of the open call. */
  private callSignature: Signature | null = null
  private refused = false
  private finish: Finish | null = null
  private told: TokenUsage | null = null

  constructor(saying: Saying) {
    this.saying = withoutRequest(saying)
  }

  take(part: StreamPart): string {
    if (part.type === 'start') return this.start(part)
    if ('choice' in part && part.choice !== 0) return ''
    let events = this.start(NOT_STARTED)
    for (const one of this.inTurn.take(part)) events += this.say(one)
    return events
  }

  usage(usage: TokenUsage): string {
    // It is told with why the answer ended.
    this.told = usage
    return ''
  }

  private say(part: StreamPart): string {
    switch (part.type) {
      case 'text':
      case 'refusal':
        if (part.type === 'refusal') this.refused = true
        return part.text === '' ? '' : this.open('text', part.block) + this.delta('text_delta', 'text', part.text)
      case 'reasoning':
        if (part.text === '') return ''
        return this.open('thinking', part.block) + this.delta('thinking_delta', 'thinking', part.text)
      case 'arguments':
        return this.arguments(part.block, part.text)
      case 'tool_call':
        return this.call(part)
      case 'citation':
        return this.citation(part)
      case 'signature':
        return this.signature(part.block, part.signature)
      case 'redacted':
        return this.whole(redactedBlock(part.data, part.origin))
      case 'part':
        return this.wholePart(part.part)
      case 'finish':
        this.finish = part.finish
        return this.close()
      case 'done':
        return this.end()
      default:
        return ''
    }
  }

  private start({ id, usage, serviceTier }: Start): string {
    if (this.started) return ''
    this.started = true
    this.told = usage
    const message = {
      id: id === '' ? messageIdOf(this.saying) : id,
      type: 'message',
      role: 'assistant',
      model: this.saying.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      container: null,
      diagnostics: null,
      usage: writeUsage(usage, writeTier(serviceTier)),
    }
    return said('message_start', `"type":"message_start","message":${JSON.stringify(message)}`) + PING
  }

  /** Opens a block unless that part's is open. */
  private open(kind: 'text' | 'thinking', part: number): string {
    if (this.kind === kind && this.part === part) return ''
    const block = kind === 'text' ? EMPTY_TEXT : EMPTY_THINKING
    return this.close() + this.begin(kind, part, block)
  }

  private begin(kind: Kind, part: number, block: string): string {
    this.kind = kind
    this.part = part
    this.signed = false
    this.index++
    return blockStart(this.index, block)
  }

  private close(): string {
    const { kind } = this
    if (kind === null) return ''
    this.kind = null
    let last = ''
    if (kind === 'tool' && this.customs.has(this.part)) last = inputDelta(this.index, '"}')
    if (kind === 'thinking' && !this.signed) last = this.delta('signature_delta', 'signature', UNSIGNED)
    const closed = `${last}${blockStop(this.index)}`
    const signature = this.callSignature
    this.callSignature = null
    return signature === null ? closed : closed + this.whole(signatureBlock(signature))
  }

  private delta(type: string, member: string, text: string): string {
    return textDelta(this.index, type, member, text)
  }

  private call({ block, id, name, kind }: Extract<StreamPart, { type: 'tool_call' }>): string {
    const callId = id === '' ? callIdOf(this.saying, block) : id
    const content = `"type":"tool_use","id":${JSON.stringify(callId)},"name":${JSON.stringify(name)},"input":{}`
    const start = this.close() + this.begin('tool', block, content)
    this.called = true
    if (kind !== 'custom') return start
    this.customs.add(block)
    return start + inputDelta(this.index, `{"${TEXT_MEMBER}":"`)
  }

  /** What comes for a call whose block has ended would be beyond the end of its JSON. */
  private arguments(part: number, text: string): string {
    if (this.kind !== 'tool' || this.part !== part || text === '') return ''
    return inputDelta(this.index, this.customs.has(part) ? JSON.stringify(text).slice(1, -1) : text)
  }

  private citation({ block, citation }: Extract<StreamPart, { type: 'citation' }>): string {
    const told = writeCitation(citation)
    if (told === null) return ''
    const data = `"type":"citations_delta","citation":${JSON.stringify(told)}`
    return this.open('text', this.kind === 'text' ? this.part : block) + blockDelta(this.index, data)
  }

  private signature(part: number, signature: Signature): string {
    if (this.kind !== null && this.kind !== 'thinking' && this.part === part) {
      this.callSignature = signature
      return ''
    }
    const opened = this.open('thinking', part)
    this.signed = true
    return opened + this.delta('signature_delta', 'signature', signatureText(signature))
  }

  /** A block that comes whole. */
  private whole(block: JsonObject): string {
    const before = this.close()
    this.index++
    return before + wholeBlock(this.index, block)
  }

  /** Of what comes whole nothing is a call, which would need an id. */
  private wholePart(part: Part): string {
    let events = ''
    for (const block of writeAnswerBlocks(part, '')) events += this.whole(block)
    return events
  }

  private end(): string {
    const before = this.close()
    const finish = this.finish ?? { reason: 'unknown', own: null, stopSequence: null }
    const delta = { ...finishMembers(finish, { tools: this.called, refused: this.refused }), container: null }
    const rest = `"delta":${JSON.stringify(delta)},"usage":${JSON.stringify(writeCounts(this.told))}`
    return `${before}${said('message_delta', `"type":"message_delta",${rest}`)}${said('message_stop', '"type":"message_stop"')}`
  }
}

const EMPTY_TEXT = '"type":"text","text":"","citations":null'
const EMPTY_THINKING = '"type":"thinking","thinking":"","signature":""'

function said(name: string, members: string): string {
  return `event: ${name}\ndata: {${members}}\n\n`
}

function blockStart(index: number, content: string): string {
  return said('content_block_start', `"type":"content_block_start","index":${index},"content_block":{${content}}`)
}

function blockDelta(index: number, delta: string): string {
  return said('content_block_delta', `"type":"content_block_delta","index":${index},"delta":{${delta}}`)
}

function blockStop(index: number): string {
  return said('content_block_stop', `"type":"content_block_stop","index":${index}`)
}

function inputDelta(index: number, json: string): string {
  return blockDelta(index, `"type":"input_json_delta","partial_json":${JSON.stringify(json)}`)
}

/** What its readers put together of deltas, comes in deltas. */
function wholeBlock(index: number, block: JsonObject): string {
  const { type } = block
  let start = block
  let deltas = ''
  if (type === 'thinking') {
    start = { type, thinking: '', signature: '' }
    if (block['thinking'] !== '') deltas += textDelta(index, 'thinking_delta', 'thinking', block['thinking'])
    if (block['signature'] !== '') deltas += textDelta(index, 'signature_delta', 'signature', block['signature'])
  } else if (type === 'text') {
    start = { ...block, text: '' }
    deltas = textDelta(index, 'text_delta', 'text', block['text'])
  } else if (isObject(block['input'])) {
    start = { ...block, input: {} }
    deltas = inputDelta(index, JSON.stringify(block['input']))
  }
  return `${blockStart(index, JSON.stringify(start).slice(1, -1))}${deltas}${blockStop(index)}`
}

function textDelta(index: number, type: string, member: string, value: unknown): string {
  return blockDelta(index, `"type":"${type}","${member}":${JSON.stringify(value)}`)
}
