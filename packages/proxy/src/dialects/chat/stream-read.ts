import type { TokenUsage } from '@millrace/shared'

import type { StreamPart } from '../../canonical/answer.ts'
import type { Citation } from '../../canonical/content.ts'
import { filledText, isObject, jsonOf, listOf, numberOf, textOf, type JsonObject } from '../../canonical/values.ts'
import type { StreamReader } from '../../canonical/wire.ts'
import { ChoiceReader } from './choice-read.ts'
import { readSources } from './read-answer-parts.ts'
import { errorIn, readChatError } from './read-error.ts'
import type { ToolMemo } from './tool-names.ts'
import { usageInChunk } from './usage-in-chunk.ts'

const NONE: readonly StreamPart[] = []

/** Reads the chunks of one streamed chat completion. */
export class ChatStreamReader implements StreamReader {
  /** Some tell it with each chunk: what was said last counts, and is told at the end. */
  usageSoFar: TokenUsage | null = null
  private readonly choices = new Map<number, ChoiceReader>()
  private readonly tools: ToolMemo | null
  private readonly endsWithoutDone: boolean
  /** What the whole answer rests on. */
  private sources: readonly Citation[] = []
  private started = false
  private ended = false

  /**
   * @param tools null: its calls are as the client has its tools
   * @param endsWithoutDone whether an answer is whole once its choices have ended
   */
  constructor(tools: ToolMemo | null, endsWithoutDone: boolean) {
    this.tools = tools
    this.endsWithoutDone = endsWithoutDone
  }

  take(data: string, name: string): readonly StreamPart[] {
    if (this.ended) return NONE
    if (data.trim() === '[DONE]') return this.end()
    const chunk = parse(data)
    if (name === 'error') return this.fail(readChatError(200, chunk ?? data))
    if (chunk === null) return NONE
    const error = errorIn(chunk)
    if (error !== null) return this.fail(error)
    this.usageSoFar = usageInChunk(chunk) ?? this.usageSoFar
    const choices = listOf(chunk['choices']).filter(isObject)
    const parts: StreamPart[] = []
    // Azure's first chunk is about the prompt only, and names nothing.
    if (!this.started && (choices.length > 0 || filledText(chunk['id']) !== null)) this.start(chunk, parts)
    for (const [i, choice] of choices.entries()) {
      const { error: failed } = choice
      if (isObject(failed)) return [...parts, ...this.fail(readChatError(200, { error: failed }))]
      if (!isObject(choice['delta']) && (choice['finish_reason'] ?? null) === null) continue
      if (choice['text'] !== undefined && choice['delta'] === undefined) continue
      this.choiceAt(numberOf(choice['index']) ?? i).take(choice, parts)
    }
    this.noteSources(chunk, choices)
    return parts
  }

  close(): readonly StreamPart[] {
    if (this.ended) return NONE
    const choices = [...this.choices.values()]
    if (this.endsWithoutDone && choices.length > 0 && choices.every(({ finished }) => finished)) return this.end()
    return this.usageSoFar === null ? NONE : [{ type: 'usage', usage: this.usageSoFar }]
  }

  private start(chunk: JsonObject, parts: StreamPart[]): void {
    this.started = true
    parts.push({
      type: 'start',
      id: textOf(chunk['id']),
      created: numberOf(chunk['created']) || null,
      usage: null,
      serviceTier: filledText(chunk['service_tier']),
      systemFingerprint: filledText(chunk['system_fingerprint']),
    })
  }

  /** Perplexity tells them with each chunk, xAI with the last, which may be that of the usage. */
  private noteSources(chunk: JsonObject, choices: readonly JsonObject[]): void {
    if (choices.length > 0 && !choices.some((choice) => choice['finish_reason'])) return
    const sources = readSources(chunk)
    if (sources.length > 0) this.sources = sources
  }

  private end(): readonly StreamPart[] {
    // Of an answer in another API nothing was understood.
    if (this.choices.size === 0) return NONE
    this.ended = true
    const parts: StreamPart[] = []
    for (const choice of this.choices.values()) choice.end(this.sources, parts)
    if (this.usageSoFar !== null) parts.push({ type: 'usage', usage: this.usageSoFar })
    parts.push({ type: 'done' })
    return parts
  }

  private fail(error: Extract<StreamPart, { type: 'error' }>['error']): readonly StreamPart[] {
    this.ended = true
    return [{ type: 'error', error }]
  }

  private choiceAt(index: number): ChoiceReader {
    let choice = this.choices.get(index)
    if (choice === undefined) this.choices.set(index, (choice = new ChoiceReader(index, this.tools)))
    return choice
  }
}

function parse(data: string): JsonObject | null {
  const value = jsonOf(data)
  return isObject(value) ? value : null
}
