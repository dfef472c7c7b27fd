/** The blocks of a conversation's messages. */
import type { Part, ReasoningPart, ToolCallPart, ToolResultPart } from '../../canonical/content.ts'
import { wrong } from '../../canonical/problem.ts'
import { openedSignature } from '../../canonical/signature.ts'
import { readInput } from '../../canonical/tool-text.ts'
import { filledText, isObject, textOf, type JsonObject } from '../../canonical/values.ts'
import { readDocument, readImage, readSearchResult } from './read-sources.ts'
import { cacheOf, readText, readTexts } from './read-text.ts'

type Speaker = 'user' | 'assistant'

/** Whose each kind of block is, of those that only one of them has. */
const SPEAKERS: ReadonlyMap<unknown, Speaker> = new Map<unknown, Speaker>([
  ['image', 'user'],
  ['document', 'user'],
  ['search_result', 'user'],
  ['tool_result', 'user'],
  ['thinking', 'assistant'],
  ['redacted_thinking', 'assistant'],
  ['tool_use', 'assistant'],
])

/**
 * @param at where it stands: `messages[2].content`
 * @param calls the names of the tools that were called so far, by the calls' ids; what is called here is added
 */
export function readBlocks(content: unknown, speaker: Speaker, at: string, calls: Map<string, string>): Part[] {
  if (typeof content === 'string') return readTexts(content, at)
  if (!Array.isArray(content)) throw wrong(at, `"${at}" has to be a text or a list of blocks.`)
  const parts: Part[] = []
  for (const [i, block] of content.entries()) {
    const place = `${at}[${i}]`
    if (!isObject(block)) throw wrong(place, `"${place}" has to be an object.`)
    const { type } = block
    if (typeof type !== 'string') throw wrong(`${place}.type`, `"${place}.type" has to be a text.`)
    const owner = SPEAKERS.get(type)
    if (owner !== undefined && owner !== speaker) {
      throw wrong(`${place}.type`, `A message of the role ${speaker} cannot have a block of the type ${type}.`)
    }
    addBlock(parts, block, place, calls)
  }
  return parts
}

function addBlock(parts: Part[], block: JsonObject, at: string, calls: Map<string, string>): void {
  switch (block['type']) {
    case 'text':
      parts.push(readText(block, at))
      break
    case 'image':
      parts.push(readImage(block, at))
      break
    case 'document':
      parts.push(...readDocument(block, at))
      break
    case 'search_result':
      parts.push(readSearchResult(block, at))
      break
    case 'thinking':
      addThinking(parts, readThinking(block, at))
      break
    case 'redacted_thinking':
      parts.push(readRedacted(block, at))
      break
    case 'tool_use':
      parts.push(readToolUse(block, at, calls))
      break
    case 'tool_result':
      parts.push(readToolResult(block, at, calls))
      break
    default:
      parts.push({ type: 'own', own: { origin: 'messages', value: block } })
  }
}

function readThinking(block: JsonObject, at: string): ReasoningPart {
  const { thinking, signature } = block
  if (typeof thinking !== 'string') throw wrong(`${at}.thinking`, `"${at}.thinking" has to be a text.`)
  const signed = filledText(signature)
  const opened = signed === null ? null : openedSignature(signed, 'messages')
  // Others than Anthropic may not have signed what they thought.
  return { type: 'reasoning', text: thinking, signature: opened?.value === '' ? null : opened }
}

/** What another API signed of a call stands after it, as thinking without a text: see answer-blocks.ts. */
function addThinking(parts: Part[], part: ReasoningPart): void {
  const last = parts.at(-1)
  const { signature } = part
  if (part.text === '' && signature !== null && signature.origin !== 'messages') {
    if (last?.type === 'tool_call' && last.signature === undefined) {
      parts[parts.length - 1] = { ...last, signature }
      return
    }
  }
  parts.push(part)
}

function readRedacted(block: JsonObject, at: string): ReasoningPart {
  const data = filledText(block['data'])
  if (data === null) throw wrong(`${at}.data`, `"${at}.data" has to be a text.`)
  const { origin, value } = openedSignature(data, 'messages')
  return { type: 'reasoning', text: '', signature: { origin, value: '' }, redacted: value }
}

function readToolUse(block: JsonObject, at: string, calls: Map<string, string>): ToolCallPart {
  const id = filledText(block['id'])
  const name = filledText(block['name'])
  if (id === null) throw wrong(`${at}.id`, `"${at}.id" has to be a text.`)
  if (name === null) throw wrong(`${at}.name`, `"${at}.name" has to be a text.`)
  if (!isObject(block['input'])) throw wrong(`${at}.input`, `"${at}.input" has to be an object.`)
  calls.set(id, name)
  return { type: 'tool_call', id, name, arguments: readInput(block['input'], false), ...cacheOf(block) }
}

function readToolResult(block: JsonObject, at: string, calls: ReadonlyMap<string, string>): ToolResultPart {
  const id = textOf(block['tool_use_id'])
  const name = calls.get(id)
  if (name === undefined) {
    const place = `${at}.tool_use_id`
    throw wrong(place, `"${place}" names no tool_use of an earlier message.`)
  }
  const content = readResultContent(block['content'], `${at}.content`)
  const failed = block['is_error'] === true ? { isError: true } : {}
  return { type: 'tool_result', id, name, content, ...failed, ...cacheOf(block) }
}

function readResultContent(content: unknown, at: string): ToolResultPart['content'] {
  if (content === undefined || content === null || typeof content === 'string') return readTexts(content, at)
  if (!Array.isArray(content)) throw wrong(at, `"${at}" has to be a text or a list of blocks.`)
  return content.flatMap((block, i) => readResultBlock(block, `${at}[${i}]`))
}

function readResultBlock(block: unknown, at: string): ToolResultPart['content'] {
  if (!isObject(block)) throw wrong(at, `"${at}" has to be an object.`)
  switch (block['type']) {
    case 'text':
      return [readText(block, at)]
    case 'image':
      return [readImage(block, at)]
    case 'document':
      return readDocument(block, at)
    case 'search_result':
      return [readSearchResult(block, at)]
    case 'tool_reference':
      return [{ type: 'text', text: textOf(block['tool_name']) }]
    default:
      throw wrong(`${at}.type`, `"${at}.type" has to be text, image, document or search_result.`)
  }
}
