import type { TokenUsage } from '@millrace/shared'

import type { Finish, StreamPart, TokenLogprob } from '../../canonical/answer.ts'
import type { Citation, Part, Signature } from '../../canonical/content.ts'
import { writeOpenAiUsage } from '../../canonical/openai-usage.ts'
import { withoutRequest, type Saying, type StreamSaying, type StreamWriter } from '../../canonical/writer.ts'
import { callExtras } from './call-extras.ts'
import { finishWord } from './finish.ts'
import { callId, callsFunctions, completionId, serviceTierOf } from './saying.ts'
import {
  audioOf,
  imageOf,
  logprobsOf,
  redactedDetail,
  signatureDetail,
  textDetail,
  urlCitation,
} from './write-parts.ts'

/** A choice, as far as it has been said. */
interface Said {
  readonly index: number
  /** Characters of its text. */
  length: number
  refused: boolean
  /** Of the block that is said now; -1: none is. */
  block: number
  /** Where its text begins in the message. */
  blockStart: number
  /** Whether its reasoning can be read, as it is and not summed up. */
  blockIsPlain: boolean
  /** What its text rests on: told when it is known how far that reaches. */
  citations: Citation[]
  /** The indices of calls, by their blocks. */
  readonly calls: Map<number, Call>
}

interface Call {
  readonly index: number
  readonly custom: boolean
  empty: boolean
}

/** Says an answer as OpenAI's `chat.completion.chunk`s: the role first, then deltas, how it ends, usage, `[DONE]`. */
export class ChatStreamWriter implements StreamWriter {
  readonly sequence = 0
  private readonly saying: StreamSaying
  private readonly functions: boolean
  private readonly choices = new Map<number, Said>()
  /** How each event begins, up to its choices. */
  private head: string
  private created: number

  constructor(saying: Saying) {
    this.saying = withoutRequest(saying)
    this.functions = callsFunctions(saying.request)
    this.created = saying.created
    this.head = headOf(completionId('', saying), this.created, saying.model, '')
  }

  take(part: StreamPart): string {
    switch (part.type) {
      case 'start':
        return this.start(part)
      case 'finish':
        return this.finish(part.choice, part.finish)
      case 'done':
        return 'data: [DONE]\n\n'
      case 'usage':
      case 'error':
        return ''
      default:
        return this.block(part)
    }
  }

  usage(usage: TokenUsage): string {
    if (!this.saying.usageWanted) return ''
    return `${this.head}],"usage":${JSON.stringify(writeOpenAiUsage(usage))}}\n\n`
  }

  private start({ id, created, serviceTier, systemFingerprint }: Extract<StreamPart, { type: 'start' }>): string {
    const { saying } = this
    this.created = created ?? saying.created
    const tier = serviceTierOf(serviceTier)
    const more =
      (tier === null ? '' : `"service_tier":"${tier}",`) +
      (systemFingerprint === null ? '' : `"system_fingerprint":${JSON.stringify(systemFingerprint)},`)
    this.head = headOf(completionId(id, saying), this.created, saying.model, more)
    return this.begun(0)
  }

  private block(part: BlockPart): string {
    const role = this.begun(part.choice)
    const said = this.choices.get(part.choice)!
    const before = part.block === said.block ? '' : this.endBlock(said, part.block)
    return role + before + this.say(part, said)
  }

  private say(part: BlockPart, said: Said): string {
    switch (part.type) {
      case 'text':
        said.length += part.text.length
        return this.chunk(said, `"content":${JSON.stringify(part.text)}`, part.logprobs)
      case 'citation':
        said.citations.push(part.citation)
        return ''
      case 'reasoning':
        said.blockIsPlain = part.summary !== true
        return this.chunk(said, reasoningDelta(part.text, part.summary === true, part.block))
      case 'signature':
        return this.signature(part.signature, part.block, said)
      case 'redacted':
        return this.chunk(
          said,
          `"reasoning_details":[${JSON.stringify(redactedDetail(part.data, part.origin, part.block))}]`,
        )
      case 'refusal':
        said.refused = true
        return this.chunk(said, `"refusal":${JSON.stringify(part.text)}`)
      case 'tool_call':
        return this.call(part, said)
      case 'arguments':
        return this.arguments(part.text, said.calls.get(part.block), said)
      case 'part':
        return this.part(part.part, said)
    }
  }

  private call({ id, name, kind, block }: Extract<BlockPart, { type: 'tool_call' }>, said: Said): string {
    const index = said.calls.size
    const custom = kind === 'custom'
    said.calls.set(block, { index, custom, empty: true })
    if (this.functions) {
      return index > 0 ? '' : this.chunk(said, `"function_call":${JSON.stringify({ name, arguments: '' })}`)
    }
    const known = { index, id: id || callId(this.saying, said.index, index) }
    // OpenAI's description of chunks knows functions only: what is custom shows in its member alone.
    const call = custom
      ? { ...known, custom: { name, input: '' } }
      : { ...known, type: 'function', function: { name, arguments: '' } }
    return this.chunk(said, `"tool_calls":[${JSON.stringify(call)}]`)
  }

  private arguments(text: string, call: Call | undefined, said: Said): string {
    if (call === undefined || text === '') return ''
    call.empty = false
    const value = JSON.stringify(text)
    if (this.functions) return call.index > 0 ? '' : this.chunk(said, `"function_call":{"arguments":${value}}`)
    const piece = call.custom ? `"custom":{"input":${value}}` : `"function":{"arguments":${value}}`
    return this.chunk(said, `"tool_calls":[{"index":${call.index},${piece}}]`)
  }

  private signature(signature: Signature, block: number, said: Said): string {
    const call = said.calls.get(block)
    if (call === undefined) {
      const detail = signatureDetail(signature, !said.blockIsPlain, block)
      return this.chunk(said, `"reasoning_details":[${JSON.stringify(detail)}]`)
    }
    const extras = callExtras(signature)
    if (this.functions || !('extra_content' in extras)) return ''
    return this.chunk(said, `"tool_calls":[${JSON.stringify({ index: call.index, ...extras })}]`)
  }

  private part(part: Part, said: Said): string {
    if (part.type === 'image') {
      const image = imageOf(part)
      return image === null ? '' : this.chunk(said, `"images":[${JSON.stringify(image)}]`)
    }
    if (part.type !== 'audio') return ''
    return this.chunk(said, `"audio":${JSON.stringify(audioOf(part, this.created, `audio_${this.saying.id}`))}`)
  }

  /** @returns what is still to be said of the block before */
  private endBlock(said: Said, next: number): string {
    const { citations } = said
    let cited = ''
    if (citations.length > 0) {
      const annotations = citations
        .map((citation) => urlCitation(citation, said.blockStart, said.length))
        .filter((annotation) => annotation !== null)
      if (annotations.length > 0) cited = this.chunk(said, `"annotations":${JSON.stringify(annotations)}`)
      said.citations = []
    }
    said.block = next
    said.blockStart = said.length
    said.blockIsPlain = false
    return cited
  }

  private finish(choice: number, finish: Finish): string {
    const role = this.begun(choice)
    const said = this.choices.get(choice)!
    const before = this.endBlock(said, -1) + this.endCalls(said)
    const word = finishWord(finish, said.refused)
    const reason = word === 'tool_calls' && this.functions ? 'function_call' : word
    const own =
      finish.own === null || finish.own === word ? '' : `,"native_finish_reason":${JSON.stringify(finish.own)}`
    return `${role}${before}${this.head}{"index":${choice},"delta":{},"logprobs":null,"finish_reason":"${reason}"${own}}]}\n\n`
  }

  /** Without arguments a call has an empty object, not an empty text. Some tell those of several calls by turns. */
  private endCalls(said: Said): string {
    let told = ''
    for (const call of said.calls.values()) if (call.empty && !call.custom) told += this.arguments('{}', call, said)
    return told
  }

  /** @returns the chunk that tells the role, unless it was told */
  private begun(choice: number): string {
    if (this.choices.has(choice)) return ''
    const said: Said = {
      index: choice,
      length: 0,
      refused: false,
      block: -1,
      blockStart: 0,
      blockIsPlain: false,
      citations: [],
      calls: new Map(),
    }
    this.choices.set(choice, said)
    return this.chunk(said, '"role":"assistant","content":"","refusal":null')
  }

  private chunk({ index }: Said, delta: string, logprobs?: readonly TokenLogprob[]): string {
    const told = logprobs === undefined ? 'null' : JSON.stringify(logprobsOf(logprobs))
    return `${this.head}{"index":${index},"delta":{${delta}},"logprobs":${told},"finish_reason":null}]}\n\n`
  }
}

type BlockPart = Extract<StreamPart, { readonly block: number }>

function headOf(id: string, created: number, model: string, more: string): string {
  const known = `"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created}`
  return `data: {${known},"model":${JSON.stringify(model)},${more}"choices":[`
}

function reasoningDelta(text: string, summary: boolean, index: number): string {
  return `"reasoning_content":${JSON.stringify(text)},"reasoning_details":[${JSON.stringify(textDetail(text, summary, index))}]`
}
