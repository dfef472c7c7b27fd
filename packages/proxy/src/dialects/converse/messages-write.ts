/** A conversation as Converse's `system` and `messages`, whose roles alternate, the user's first. */
import type { Part } from '../../canonical/content.ts'
import { wrong } from '../../canonical/problem.ts'
import type { ChatRequest, Message } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { Model } from './models.ts'
import { DocumentNames } from './names.ts'
import { blocksOf, type Writing } from './parts-write.ts'

export interface WrittenMessages {
  readonly system: JsonObject[]
  readonly messages: readonly JsonObject[]
}

/** Before an answer with which a conversation begins: Converse wants a user's turn there. */
const NOTHING_SAID = '(nothing was said)'
/** Beside documents Converse wants a text. */
const BESIDE_DOCUMENTS = 'See the document.'

interface Turn {
  readonly role: 'user' | 'assistant'
  content: JsonObject[]
}

/** @throws GatewayError unsupported_endpoint for what cannot be said, param_not_allowed where nothing is said */
export function writeMessages(request: ChatRequest, model: Model): WrittenMessages {
  const param = request.named.messages ?? 'messages'
  const writing: Writing = { model, documents: new DocumentNames(), param }
  const system = systemBlocks(request.system, writing)
  const turns: Turn[] = []
  for (const message of request.messages) {
    if (isInstruction(message)) for (const block of systemBlocks(message.content, writing)) system.push(block)
    else addTurn(turns, message, writing)
  }
  if (turns.length === 0) throw wrong(param, 'There is nothing to answer: no message says anything.')
  if (turns[0]!.role === 'assistant') turns.unshift({ role: 'user', content: [{ text: NOTHING_SAID }] })
  for (const turn of turns) finish(turn)
  endWithoutSpace(turns.at(-1)!)
  return { system, messages: turns as readonly object[] as readonly JsonObject[] }
}

function isInstruction({ role }: Message): boolean {
  return role === 'system' || role === 'developer'
}

function systemBlocks(content: readonly Part[], writing: Writing): JsonObject[] {
  return content.flatMap((part) => (part.type === 'text' ? blocksOf(part, 'user', writing) : []))
}

/** A message of which nothing is left is none: then its neighbours are one. */
function addTurn(turns: Turn[], { role, content }: Message, writing: Writing): void {
  const said = role === 'assistant' ? 'assistant' : 'user'
  const blocks = content.flatMap((part) => blocksOf(part, said, writing))
  if (blocks.length === 0) return
  const last = turns.at(-1)
  if (last?.role === said) for (const block of blocks) last.content.push(block)
  else turns.push({ role: said, content: blocks })
}

/** Results of tools come first, as Claude wants them, each with its mark. */
function finish(turn: Turn): void {
  if (turn.role === 'assistant') return
  const results: JsonObject[] = []
  const others: JsonObject[] = []
  let into = others
  for (const block of turn.content) {
    if (!('cachePoint' in block)) into = 'toolResult' in block ? results : others
    into.push(block)
  }
  if (others.some((block) => 'document' in block) && !others.some((block) => 'text' in block)) {
    others.push({ text: BESIDE_DOCUMENTS })
  }
  turn.content = results.concat(others)
}

/** The beginning of an answer that is to be gone on with: Claude takes none with space at its end. */
function endWithoutSpace({ role, content }: Turn): void {
  const at = content.findLastIndex((block) => !('cachePoint' in block))
  const text = content[at]?.['text']
  if (role === 'assistant' && typeof text === 'string') content[at] = { text: text.trimEnd() }
}
