/** Answers of other APIs as OpenAI's `text_completion`s, whole and streamed. What is no text is left out. */
import type { TokenUsage } from '@millrace/shared'

import type { CanonicalAnswer, Choice, Finish, StreamPart } from '../../canonical/answer.ts'
import { writeOpenAiUsage } from '../../canonical/openai-usage.ts'
import {
  withoutRequest,
  type AnswerWriter,
  type Saying,
  type StreamSaying,
  type StreamWriter,
} from '../../canonical/writer.ts'

export const completionsWriter: AnswerWriter = {
  answer: writeCompletion,
  stream: (saying) => new CompletionStreamWriter(saying),
}

function writeCompletion(answer: CanonicalAnswer, saying: Saying): string {
  if (answer.kind !== 'chat') throw new TypeError(`a completion is not made of ${answer.kind}`)
  return JSON.stringify({
    id: idOf(answer.id, saying),
    object: 'text_completion',
    created: answer.created ?? saying.created,
    model: saying.model,
    choices: answer.choices.map(choiceOf),
    ...(answer.usage === null ? {} : { usage: writeOpenAiUsage(answer.usage) }),
    ...(answer.systemFingerprint === null ? {} : { system_fingerprint: answer.systemFingerprint }),
  })
}

function choiceOf({ index, content, finish }: Choice): object {
  const text = content.map((part) => (part.type === 'text' || part.type === 'refusal' ? part.text : '')).join('')
  return { text, index, logprobs: null, finish_reason: wordOf(finish) }
}

class CompletionStreamWriter implements StreamWriter {
  readonly sequence = 0
  private readonly saying: StreamSaying
  /** How each event begins, up to its choices. */
  private head: string

  constructor(saying: Saying) {
    this.saying = withoutRequest(saying)
    this.head = headOf(idOf('', saying), saying.created, saying.model, null)
  }

  take(part: StreamPart): string {
    switch (part.type) {
      case 'start':
        this.head = headOf(
          idOf(part.id, this.saying),
          part.created ?? this.saying.created,
          this.saying.model,
          part.systemFingerprint,
        )
        return ''
      case 'text':
      case 'refusal':
        return this.chunk(part.choice, part.text, null)
      case 'finish':
        return this.chunk(part.choice, '', wordOf(part.finish))
      case 'done':
        return 'data: [DONE]\n\n'
      default:
        return ''
    }
  }

  usage(usage: TokenUsage): string {
    if (!this.saying.usageWanted) return ''
    return `${this.head}],"usage":${JSON.stringify(writeOpenAiUsage(usage))}}\n\n`
  }

  private chunk(index: number, text: string, reason: string | null): string {
    const choice = `{"text":${JSON.stringify(text)},"index":${index},"logprobs":null,"finish_reason":${JSON.stringify(reason)}}`
    return `${this.head}${choice}]}\n\n`
  }
}

function headOf(id: string, created: number, model: string, fingerprint: string | null): string {
  const known = `"id":${JSON.stringify(id)},"object":"text_completion","created":${created}`
  const more = fingerprint === null ? '' : `"system_fingerprint":${JSON.stringify(fingerprint)},`
  return `data: {${known},"model":${JSON.stringify(model)},${more}"choices":[`
}

function idOf(own: string, { id }: StreamSaying): string {
  return own || `cmpl-${id.replaceAll('-', '')}`
}

function wordOf({ reason }: Finish): 'stop' | 'length' | 'content_filter' {
  if (reason === 'length' || reason === 'context_length') return 'length'
  return reason === 'content_filter' || reason === 'refusal' ? 'content_filter' : 'stop'
}
