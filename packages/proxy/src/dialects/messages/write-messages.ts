/** The conversation as the Messages API wants it: user and assistant in turn, the user first. */
import type { Part, TextPart } from '../../canonical/content.ts'
import type { ChatRequest, Message } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { BlockWriter } from './write-blocks.ts'

/** Stands in where a conversation has no message of the user's before the model's first. */
const NO_USER = 'Continue.'

export interface Conversation {
  /** With what system and developer say in the middle: the API has one prompt for all of it. */
  readonly system: JsonObject[]
  readonly messages: JsonObject[]
}

export function writeConversation(request: ChatRequest, writer: BlockWriter): Conversation {
  const hoisted = request.messages.filter(isSystem).flatMap(({ content }) => content.filter(isTextPart))
  const system = writer.texts([...request.system, ...hoisted])
  const turns: { role: 'user' | 'assistant'; content: JsonObject[] }[] = []
  for (const message of request.messages) {
    if (isSystem(message)) continue
    const { role, content } = message
    const at = request.named.messages ?? 'messages'
    const blocks = role === 'assistant' ? writer.assistant(content) : writer.user(content, at)
    if (blocks.length === 0) continue
    const turn = role === 'assistant' ? 'assistant' : 'user'
    const last = turns.at(-1)
    if (last?.role !== turn) turns.push({ role: turn, content: blocks })
    else last.content = turn === 'user' ? resultsFirst([...last.content, ...blocks]) : [...last.content, ...blocks]
  }
  // Other APIs take a system prompt alone: then it is what the user says.
  if (turns.length === 0)
    return { system: [], messages: [{ role: 'user', content: system.length > 0 ? system : [FIRST] }] }
  if (turns[0]!.role === 'assistant') turns.unshift({ role: 'user', content: [FIRST] })
  trimLast(turns.at(-1)!)
  return { system, messages: turns }
}

const FIRST: JsonObject = { type: 'text', text: NO_USER }

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer'
}

function isTextPart(part: Part): part is TextPart {
  return part.type === 'text'
}

function resultsFirst(blocks: readonly JsonObject[]): JsonObject[] {
  const results = blocks.filter(({ type }) => type === 'tool_result')
  return results.length === 0 ? [...blocks] : [...results, ...blocks.filter(({ type }) => type !== 'tool_result')]
}

/** An answer that the model is to go on with may not end in white space. */
function trimLast(turn: { readonly role: string; content: JsonObject[] }): void {
  const last = turn.content.at(-1)!
  if (turn.role !== 'assistant' || last['type'] !== 'text') return
  turn.content = [...turn.content.slice(0, -1), { ...last, text: (last['text'] as string).trimEnd() }]
}
