/** A whole answer of Converse. */
import type { ChatAnswer } from '../../canonical/answer.ts'
import type { ImagePart, Part, ReasoningPart, TextPart, ToolCallPart } from '../../canonical/content.ts'
import { readInput } from '../../canonical/tool-text.ts'
import { filledText, isObject, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import { readCitation } from './citations.ts'
import { readFinish } from './finish.ts'
import type { Memo } from './request-write.ts'
import { readUsage } from './usage.ts'

/** @returns null if it is no answer of Converse */
export function readAnswer(value: unknown, memo: Memo): ChatAnswer | null {
  const { output, stopReason, usage, additionalModelResponseFields, serviceTier } = objectOf(value)
  const { message } = objectOf(output)
  if (!isObject(message) || typeof stopReason !== 'string') return null
  const content = listOf(message['content']).flatMap((block) => (isObject(block) ? (partOf(block, memo) ?? []) : []))
  const finish = readFinish(stopReason, additionalModelResponseFields, memo)
  return {
    kind: 'chat',
    id: '',
    created: null,
    choices: [{ index: 0, content, finish, logprobs: null }],
    usage: readUsage(usage),
    serviceTier: filledText(objectOf(serviceTier)['type']),
    systemFingerprint: null,
  }
}

function partOf(block: JsonObject, memo: Memo): Part | null {
  const { text, toolUse, reasoningContent, citationsContent, image } = block
  if (typeof text === 'string') return { type: 'text', text }
  if (isObject(toolUse) && !isOwnCall(toolUse)) return callOf(toolUse, memo)
  if (isObject(reasoningContent)) return thoughtOf(reasoningContent)
  if (isObject(citationsContent)) return citedOf(citationsContent)
  if (isObject(image)) return imageOf(image)
  return { type: 'own', own: { origin: 'converse', value: block } }
}

/** One of a tool that Bedrock runs itself; others have no type, or are a `tool_use`. */
export function isOwnCall({ type }: JsonObject): boolean {
  return type === 'server_tool_use'
}

function callOf({ toolUseId, name: told, input }: JsonObject, { names, customs }: Memo): ToolCallPart {
  const name = names?.get(textOf(told)) ?? textOf(told)
  const isCustom = customs.includes(name)
  const text = readInput(input ?? {}, isCustom)
  return { type: 'tool_call', id: textOf(toolUseId), name, arguments: text, ...(isCustom ? { kind: 'custom' } : {}) }
}

/** What is unreadable has had two names. */
function thoughtOf({ reasoningText, redactedContent, redactedReasoning }: JsonObject): ReasoningPart {
  const redacted = filledText(redactedContent) ?? filledText(objectOf(redactedReasoning)['data'])
  if (redacted !== null) {
    return { type: 'reasoning', text: '', signature: { origin: 'converse', value: '' }, redacted }
  }
  const { text, signature } = objectOf(reasoningText)
  const value = filledText(signature)
  return { type: 'reasoning', text: textOf(text), signature: value === null ? null : { origin: 'converse', value } }
}

function citedOf({ content, citations }: JsonObject): TextPart {
  const text = listOf(content)
    .map((one) => textOf(objectOf(one)['text']))
    .join('')
  const cited = listOf(citations).flatMap((one) => (isObject(one) ? readCitation(one, text.length) : []))
  return { type: 'text', text, ...(cited.length === 0 ? {} : { citations: cited }) }
}

/** @returns null where there are no bytes, but word of what went wrong */
export function imageOf({ format, source }: JsonObject): ImagePart | null {
  const data = filledText(objectOf(source)['bytes'])
  if (data === null) return null
  return { type: 'image', source: { from: 'data', mediaType: `image/${textOf(format) || 'png'}`, data } }
}
