import type { StreamPart } from '../../canonical/answer.ts'
import type { Citation } from '../../canonical/content.ts'
import { ToolText } from '../../canonical/tool-text.ts'
import { filledText, isObject, listOf, numberOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import { callSignature } from './call-extras.ts'
import { matchedIn, readFinish } from './finish.ts'
import { readAnnotations, readLogprobs, readSaid, type Said } from './read-answer-parts.ts'
import type { ToolMemo } from './tool-names.ts'

interface Call {
  readonly index: number | null
  id: string
  /** Null: it has no name yet, and has not begun. */
  block: number | null
  /** Arguments that came before its name. */
  early: string
  custom: boolean
  /** Reads the text that its arguments are; null: they are none. */
  text: ToolText | null
}

/** Reads the deltas of one choice of a stream. */
export class ChoiceReader {
  private readonly choice: number
  private readonly tools: ToolMemo | null
  private block = -1
  /** What the block is: a part's type, and for thoughts their index. */
  private kind = ''
  private textBlock = -1
  private refused = false
  private cited = false
  /** How it ended, as far as it is known: some say so with each chunk, and go on. */
  private ending: { readonly reason: string; readonly matched: unknown } | null = null
  private readonly calls: Call[] = []

  /** @param tools null: its calls are as the client has its tools */
  constructor(choice: number, tools: ToolMemo | null) {
    this.choice = choice
    this.tools = tools
  }

  take(chunk: JsonObject, parts: StreamPart[]): void {
    const delta = objectOf(chunk['delta'])
    const said = readSaid(delta)
    const logprobs = readLogprobs(chunk)
    const text = said.findLast(({ type }) => type === 'text')
    if (logprobs !== null && text === undefined) said.push({ type: 'text', text: '' })
    for (const step of said) this.say(step, parts)
    if (logprobs !== null) {
      const at = parts.findLastIndex(({ type }) => type === 'text')
      parts[at] = { ...(parts[at] as Extract<StreamPart, { type: 'text' }>), logprobs }
    }
    const annotations = readAnnotations(delta)
    if (annotations.length > 0) this.cite(annotations, parts)
    this.takeRest(delta, parts)
    const reason = filledText(chunk['finish_reason'])
    if (reason !== null) this.ending = { reason, matched: matchedIn(chunk) }
  }

  /** Whether it has said that it has ended. */
  get finished(): boolean {
    return this.ending !== null
  }

  /** The stream has ended: so has the choice, whether it said so or not. @param sources of the whole answer */
  end(sources: readonly Citation[], parts: StreamPart[]): void {
    if (!this.cited && this.textBlock >= 0) this.cite(sources, parts)
    const { reason, matched } = this.ending ?? { reason: 'stop', matched: null }
    for (const call of this.calls) {
      const rest = call.text?.close() ?? ''
      call.text = null
      if (rest !== '') this.argue(call, rest, parts)
    }
    const finish = readFinish(reason, matched, this.calls.length > 0, this.refused)
    parts.push({ type: 'finish', choice: this.choice, finish })
  }

  private say(step: Said, parts: StreamPart[]): void {
    const { choice } = this
    switch (step.type) {
      case 'text':
        this.textBlock = this.open('text')
        parts.push({ type: 'text', choice, block: this.textBlock, text: step.text })
        break
      case 'reasoning': {
        const block = this.open(`reasoning ${String(step.index)}`)
        parts.push({ type: 'reasoning', choice, block, text: step.text, ...(step.summary ? { summary: true } : {}) })
        break
      }
      case 'signature':
        parts.push({
          type: 'signature',
          choice,
          block: this.open(`reasoning ${String(step.index)}`),
          signature: step.signature,
        })
        break
      case 'redacted':
        parts.push({ type: 'redacted', choice, block: this.next('redacted'), data: step.data, origin: 'chat' })
        break
      case 'image':
        parts.push({ type: 'part', choice, block: this.next('image'), part: step.image })
    }
  }

  private takeRest(delta: JsonObject, parts: StreamPart[]): void {
    const { choice } = this
    const refusal = filledText(delta['refusal'])
    if (refusal !== null) {
      this.refused = true
      parts.push({ type: 'refusal', choice, block: this.open('refusal'), text: refusal })
    }
    const { id, data, transcript } = objectOf(delta['audio'])
    if (filledText(data) !== null || filledText(transcript) !== null) {
      const name = filledText(id) === null ? {} : { id: textOf(id) }
      const part = { type: 'audio', data: textOf(data), format: '', transcript: textOf(transcript), ...name } as const
      parts.push({ type: 'part', choice, block: this.next('audio'), part })
    }
    const calls = listOf(delta['tool_calls']).filter(isObject)
    for (const [i, call] of calls.entries()) this.call(call, calls.length - i, parts)
    if (isObject(delta['function_call'])) this.call({ index: 0, function: delta['function_call'] }, 1, parts)
  }

  /** @param fromEnd its place in the delta's list, 1 of the last */
  private call(delta: JsonObject, fromEnd: number, parts: StreamPart[]): void {
    const custom = isObject(delta['custom'])
    const { name, arguments: given, input } = objectOf(custom ? delta['custom'] : delta['function'])
    const call = this.callOf(delta, filledText(name) !== null, fromEnd)
    const { choice } = this
    const said = custom ? textOf(input) : isObject(given) ? JSON.stringify(given) : textOf(given)
    if (custom) call.custom = true
    if (call.block === null) {
      call.early += said
      const told = filledText(name)
      if (told === null) return
      const called = this.tools?.names.get(told) ?? told
      call.block = this.next('tool_call')
      if (this.tools?.texts.has(called)) call.text = new ToolText()
      const kind = call.custom || call.text !== null ? { kind: 'custom' as const } : {}
      parts.push({ type: 'tool_call', choice, block: call.block, id: call.id, name: called, ...kind })
      this.argue(call, call.early, parts)
      call.early = ''
    } else {
      this.argue(call, said, parts)
    }
    const signature = callSignature(delta)
    if (signature !== null) {
      parts.push({ type: 'signature', choice, block: call.block, signature })
    }
  }

  private argue({ block, text }: Call, said: string, parts: StreamPart[]): void {
    const told = text === null ? said : text.take(said)
    if (told !== '') parts.push({ type: 'arguments', choice: this.choice, block: block!, text: told })
  }

  /**
   * Most number their calls; some send each whole, without a number, or number all of them 0, or begin several without, and
   * go on with them in the same order, or by number.
   */
  private callOf({ index, id }: JsonObject, named: boolean, fromEnd: number): Call {
    const place = numberOf(index)
    const known = filledText(id)
    const same = this.calls.findLast((call) =>
      place === null ? known !== null && call.id === known : call.index === place,
    )
    if (same !== undefined) {
      const isOther = known !== null && same.id !== '' && same.id !== known && named
      if (!isOther) {
        same.id ||= known ?? ''
        return same
      }
    } else if (known === null && !named) {
      const goesOn = place === null ? this.calls.at(-fromEnd) : this.calls[place]
      if (goesOn !== undefined && (place === null || goesOn.index === null)) return goesOn
    }
    const call: Call = { index: place, id: known ?? '', block: null, early: '', custom: false, text: null }
    this.calls.push(call)
    return call
  }

  private cite(citations: readonly Citation[], parts: StreamPart[]): void {
    if (citations.length === 0) return
    this.cited = true
    if (this.textBlock < 0) this.textBlock = this.open('text')
    for (const citation of citations)
      parts.push({ type: 'citation', choice: this.choice, block: this.textBlock, citation })
  }

  /** @returns the block that goes on, or the next */
  private open(kind: string): number {
    return this.kind === kind ? this.block : this.next(kind)
  }

  private next(kind: string): number {
    this.kind = kind
    return ++this.block
  }
}
