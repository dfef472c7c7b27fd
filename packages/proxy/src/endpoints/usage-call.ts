import { isObject, type JsonObject } from '../canonical/values.ts'
import { readChatAnswer } from '../dialects/chat/answer.ts'
import { ChatCompletionStream } from '../dialects/chat/stream.ts'
import { findMembers, latin1FromUtf8, replaceAll, type Edit } from '../stream/json.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import { isCount, JsonCall } from './json-call.ts'

const STREAM_OPTIONS = new Set(['stream_options'])
const INCLUDE_USAGE = '"stream_options":{"include_usage":true}'

/** What OpenAI's chat completions and its completions have in common: a stream tells its usage if it is asked to. */
export abstract class UsageCall extends JsonCall {
  readonly includesUsage: boolean
  private readonly streamOptions: JsonObject | null

  constructor(body: Buffer, text: string, request: JsonObject) {
    super(body, text, request)
    const { stream_options: options } = request
    this.streamOptions = isObject(options) ? options : null
    this.includesUsage = this.stream && this.streamOptions?.['include_usage'] === true
  }

  observe(keepUsage = false, endsWithoutDone = false): StreamObserver {
    return new ChatCompletionStream(this.modelLiteral, this.addsUsage() && !keepUsage, endsWithoutDone)
  }

  read(answer: string): ReadAnswer | InBandError | null {
    return readChatAnswer(answer, this.modelLiteral)
  }

  protected override addEdits(edits: Edit[]): void {
    if (!this.addsUsage()) return
    const ranges = findMembers(this.text, STREAM_OPTIONS)?.get('stream_options')
    if (ranges) {
      const literal = latin1FromUtf8(JSON.stringify({ ...this.streamOptions, include_usage: true }))
      edits.push(...replaceAll(ranges, literal))
    } else {
      const start = this.text.indexOf('{') + 1
      edits.push({ start, end: start, literal: `${INCLUDE_USAGE},` })
    }
  }

  private addsUsage(): boolean {
    return this.stream && !this.includesUsage
  }
}

/** What a body limits the tokens of its answer to, in all its choices; null: it does not. */
export function outputLimit(each: number | null, choices: unknown): number | null {
  return each && Math.ceil(each * (isCount(choices) ? Math.max(1, choices) : 1))
}
