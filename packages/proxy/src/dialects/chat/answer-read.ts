/** Whole chat completions of providers. */
import type { ChatAnswer, Choice } from '../../canonical/answer.ts'
import type { Citation, Part, ReasoningPart, TextPart } from '../../canonical/content.ts'
import { ToolText } from '../../canonical/tool-text.ts'
import { filledText, isObject, listOf, numberOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import type { ProviderErrorAnswer } from '../../canonical/wire.ts'
import { callSignature } from './call-extras.ts'
import { matchedIn, readFinish } from './finish.ts'
import { readAnnotations, readLogprobs, readSaid, readSources, type Said } from './read-answer-parts.ts'
import { errorIn } from './read-error.ts'
import type { ToolMemo } from './tool-names.ts'
import { usageInChunk } from './usage-in-chunk.ts'

/** @param tools null: its calls are as the client has its tools */
export function readChatCompletion(answer: unknown, tools: ToolMemo | null): ChatAnswer | ProviderErrorAnswer | null {
  if (!isObject(answer)) return null
  const choices = listOf(answer['choices']).map(objectOf)
  const failed = choices.map((choice) => choice['error']).find(isObject)
  const error = errorIn(failed === undefined ? answer : { error: failed })
  if (error !== null) return { kind: 'error', error }
  if (choices.length === 0 || !choices.every(({ message }) => isObject(message))) return null
  const sources = readSources(answer)
  return {
    kind: 'chat',
    id: textOf(answer['id']),
    created: numberOf(answer['created']) || null,
    choices: choices.map((choice, i) => readChoice(choice, i, sources, tools)),
    usage: usageInChunk(answer),
    serviceTier: filledText(answer['service_tier']),
    systemFingerprint: filledText(answer['system_fingerprint']),
  }
}

function readChoice(choice: JsonObject, place: number, sources: readonly Citation[], tools: ToolMemo | null): Choice {
  const message = objectOf(choice['message'])
  const content = readMessage(message, sources).map((part) => ownCall(part, tools))
  const calls = content.some(({ type }) => type === 'tool_call')
  const refused = content.some(({ type }) => type === 'refusal')
  return {
    index: numberOf(choice['index']) ?? place,
    content,
    finish: readFinish(textOf(choice['finish_reason']) || 'stop', matchedIn(choice), calls, refused),
    logprobs: readLogprobs(choice),
  }
}

function readMessage(message: JsonObject, sources: readonly Citation[]): Part[] {
  const said = partsOf(readSaid(message))
  const annotations = readAnnotations(message)
  const cited = annotations.length > 0 ? annotations : sources
  const parts: Part[] =
    cited.length === 0 ? said : said.map((part) => (part.type === 'text' ? { ...part, citations: cited } : part))
  const refusal = filledText(message['refusal'])
  if (refusal !== null) parts.push({ type: 'refusal', text: refusal })
  const { id, data, transcript } = objectOf(message['audio'])
  if (typeof data === 'string') {
    const more = { ...(filledText(id) === null ? {} : { id: textOf(id) }), transcript: textOf(transcript) }
    parts.push({ type: 'audio', data, format: '', ...more })
  }
  for (const call of listOf(message['tool_calls'])) parts.push(readCall(objectOf(call)))
  const called = message['function_call']
  if (isObject(called) && filledText(called['name']) !== null) parts.push(readCall({ function: called }))
  return parts
}

/** Pieces of one thought, or of one text, are one part. */
function partsOf(said: readonly Said[]): Part[] {
  const parts: Part[] = []
  let index: unknown
  for (const step of said) {
    const last = parts.at(-1)
    switch (step.type) {
      case 'text':
        if (last?.type === 'text') parts[parts.length - 1] = { ...last, text: last.text + step.text } satisfies TextPart
        else parts.push(step)
        break
      case 'reasoning': {
        const goesOn =
          last?.type === 'reasoning' && last.redacted === undefined && last.signature === null && index === step.index
        if (goesOn) parts[parts.length - 1] = { ...last, text: last.text + step.text } satisfies ReasoningPart
        else
          parts.push({
            type: 'reasoning',
            text: step.text,
            signature: null,
            ...(step.summary ? { summary: true } : {}),
          })
        break
      }
      case 'signature': {
        const { signature } = step
        if (last?.type === 'reasoning' && last.signature === null) parts[parts.length - 1] = { ...last, signature }
        else parts.push({ type: 'reasoning', text: '', signature })
        break
      }
      case 'redacted':
        parts.push({ type: 'reasoning', text: '', signature: { origin: 'chat', value: '' }, redacted: step.data })
        break
      case 'image':
        parts.push(step.image)
    }
    index = 'index' in step ? step.index : undefined
  }
  return parts
}

function readCall(call: JsonObject): Part {
  const id = textOf(call['id'])
  if (isObject(call['custom'])) {
    const { name, input } = call['custom']
    return { type: 'tool_call', id, name: textOf(name), arguments: textOf(input), kind: 'custom' }
  }
  const { name, arguments: given } = objectOf(call['function'])
  const signature = callSignature(call)
  return {
    type: 'tool_call',
    id,
    name: textOf(name),
    arguments: isObject(given) ? JSON.stringify(given) : textOf(given),
    ...(signature === null ? {} : { signature }),
  }
}

function ownCall(part: Part, tools: ToolMemo | null): Part {
  if (part.type !== 'tool_call' || tools === null) return part
  const name = tools.names.get(part.name) ?? part.name
  if (!tools.texts.has(name)) return { ...part, name }
  const reader = new ToolText()
  return { ...part, name, arguments: reader.take(part.arguments) + reader.close(), kind: 'custom' }
}
