/** Answers of other APIs as OpenAI's `chat.completion` and its chunks. */
import type { CanonicalAnswer, ChatAnswer, Choice } from '../../canonical/answer.ts'
import type { Part, ToolCallPart } from '../../canonical/content.ts'
import { writeOpenAiUsage } from '../../canonical/openai-usage.ts'
import type { AnswerWriter, Saying } from '../../canonical/writer.ts'
import { callExtras } from './call-extras.ts'
import { finishWord } from './finish.ts'
import { callId, callsFunctions, completionId, serviceTierOf } from './saying.ts'
import { ChatStreamWriter } from './stream-write.ts'
import { audioOf, imageOf, logprobsOf, reasoningDetails, urlCitation, type ReasoningDetail } from './write-parts.ts'

export const chatWriter: AnswerWriter = {
  answer: writeChatAnswer,
  stream: (saying) => new ChatStreamWriter(saying),
}

function writeChatAnswer(answer: CanonicalAnswer, saying: Saying): string {
  if (answer.kind !== 'chat') throw new TypeError(`a chat completion is not made of ${answer.kind}`)
  return JSON.stringify(completionOf(answer, saying))
}

function completionOf(answer: ChatAnswer, saying: Saying): object {
  const tier = serviceTierOf(answer.serviceTier)
  return {
    id: completionId(answer.id, saying),
    object: 'chat.completion',
    created: answer.created ?? saying.created,
    model: saying.model,
    choices: answer.choices.map((choice) => choiceOf(choice, answer.created ?? saying.created, saying)),
    ...(answer.usage === null ? {} : { usage: writeOpenAiUsage(answer.usage) }),
    ...(tier === null ? {} : { service_tier: tier }),
    ...(answer.systemFingerprint === null ? {} : { system_fingerprint: answer.systemFingerprint }),
  }
}

function choiceOf(choice: Choice, created: number, saying: Saying): object {
  const { index, content, finish, logprobs } = choice
  const word = finishWord(
    finish,
    content.some(({ type }) => type === 'refusal'),
  )
  const deprecated = word === 'tool_calls' && callsFunctions(saying.request)
  return {
    index,
    message: messageOf(content, index, created, saying),
    logprobs: logprobsOf(logprobs),
    finish_reason: deprecated ? 'function_call' : word,
    ...(finish.own === null || finish.own === word ? {} : { native_finish_reason: finish.own }),
  }
}

function messageOf(parts: readonly Part[], choice: number, created: number, saying: Saying): object {
  let content = ''
  let refusal = ''
  let reasoning = ''
  const details: ReasoningDetail[] = []
  const annotations: unknown[] = []
  const images: unknown[] = []
  const calls: ToolCallPart[] = []
  let audio: unknown = null
  for (const [i, part] of parts.entries()) {
    switch (part.type) {
      case 'text': {
        const start = content.length
        content += part.text
        for (const citation of part.citations ?? []) annotations.push(urlCitation(citation, start, content.length))
        break
      }
      case 'reasoning':
        reasoning += part.text
        details.push(...reasoningDetails(part, i))
        break
      case 'refusal':
        refusal += part.text
        break
      case 'tool_call':
        calls.push(part)
        break
      case 'image':
        images.push(imageOf(part))
        break
      case 'audio':
        audio = audioOf(part, created, `audio_${saying.id}`)
        break
      default:
    }
  }
  const cited = annotations.filter((annotation) => annotation !== null)
  const shown = images.filter((image) => image !== null)
  return {
    role: 'assistant',
    content: content === '' && (calls.length > 0 || refusal !== '' || audio !== null) ? null : content,
    refusal: refusal === '' ? null : refusal,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
    ...(cited.length === 0 ? {} : { annotations: cited }),
    ...(shown.length === 0 ? {} : { images: shown }),
    ...(audio === null ? {} : { audio }),
    ...callsOf(calls, choice, saying),
  }
}

function callsOf(calls: readonly ToolCallPart[], choice: number, saying: Saying): object {
  const [first] = calls
  if (first === undefined) return {}
  if (callsFunctions(saying.request)) return { function_call: { name: first.name, arguments: first.arguments || '{}' } }
  return { tool_calls: calls.map((call, i) => callOf(call, callId(saying, choice, i))) }
}

function callOf(call: ToolCallPart, otherwise: string): object {
  const id = call.id || otherwise
  if (call.kind === 'custom') return { id, type: 'custom', custom: { name: call.name, input: call.arguments } }
  const { name, signature } = call
  return { id, type: 'function', function: { name, arguments: call.arguments || '{}' }, ...callExtras(signature) }
}
