/** The parts of messages as Converse's content blocks. */
import type { Part, ReasoningPart, ToolCallPart, ToolResultPart } from '../../canonical/content.ts'
import { signatureFor } from '../../canonical/signature.ts'
import { writeInput } from '../../canonical/tool-text.ts'
import { isObject, type JsonObject } from '../../canonical/values.ts'
import { audioBlock, documentBlock, imageBlock } from './media-write.ts'
import type { Model } from './models.ts'
import { writeToolId, writeToolName, type DocumentNames } from './names.ts'

export interface Writing {
  readonly model: Model
  readonly documents: DocumentNames
  /** How the client names its messages, for errors. */
  readonly param: string
}

const NOTHING: readonly JsonObject[] = []
/** In place of what a tool gave, where that is nothing: Converse takes no blank text. */
const NO_OUTPUT = '(no output)'

/** @returns none, one, or the block and the mark behind it @throws GatewayError unsupported_endpoint */
export function blocksOf(part: Part, role: 'user' | 'assistant', writing: Writing): readonly JsonObject[] {
  const block = role === 'user' ? userBlock(part, writing) : assistantBlock(part)
  if (block === null) return NOTHING
  const mark = 'cache' in part && part.cache !== undefined ? cachePoint(part.cache.ttl, writing.model) : null
  return mark === null ? [block] : [block, mark]
}

/** @returns null: the model keeps nothing */
export function cachePoint(ttl: string | null, { caches, cachesLong }: Model): JsonObject | null {
  if (!caches) return null
  return { cachePoint: { type: 'default', ...(ttl === '1h' && cachesLong ? { ttl } : {}) } }
}

/** @returns null for blank text, which Converse takes for a mistake */
function textBlock(text: string): JsonObject | null {
  return text.trim() === '' ? null : { text }
}

function userBlock(part: Part, writing: Writing): JsonObject | null {
  const { param, documents, model } = writing
  switch (part.type) {
    case 'text':
    case 'refusal':
      return textBlock(part.text)
    case 'image':
      return imageBlock(part, param)
    case 'file':
      return documentBlock(part, param, documents, model.claude !== null)
    case 'audio':
      return audioBlock(part, param)
    case 'tool_result':
      return resultBlock(part, writing)
    default:
      return ownBlock(part)
  }
}

function assistantBlock(part: Part): JsonObject | null {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return textBlock(part.text)
    case 'reasoning':
      return reasoningBlock(part)
    case 'tool_call':
      return callBlock(part)
    case 'audio':
      return textBlock(part.transcript ?? '')
    default:
      return ownBlock(part)
  }
}

function ownBlock(part: Part): JsonObject | null {
  return part.type === 'own' && part.own.origin === 'converse' && isObject(part.own.value) ? part.own.value : null
}

/** Only what Bedrock has signed, or made unreadable: it refuses thoughts of others. */
function reasoningBlock({ text, signature, redacted }: ReasoningPart): JsonObject | null {
  const value = signatureFor('converse', signature)
  if (value === null) return null
  if (redacted !== undefined) return { reasoningContent: { redactedContent: redacted } }
  return value === '' ? null : { reasoningContent: { reasoningText: { text, signature: value } } }
}

function callBlock({ id, name, arguments: text, kind }: ToolCallPart): JsonObject {
  const input = writeInput(text, kind === 'custom')
  return { toolUse: { toolUseId: writeToolId(id), name: writeToolName(name), input } }
}

function resultBlock({ id, content, isError }: ToolResultPart, writing: Writing): JsonObject {
  const blocks = content.flatMap((part) => userBlock(part, writing) ?? [])
  if (blocks.length === 0) blocks.push({ text: NO_OUTPUT })
  const status = isError === true && writing.model.toolStatus ? { status: 'error' } : {}
  return { toolResult: { toolUseId: writeToolId(id), content: blocks, ...status } }
}
