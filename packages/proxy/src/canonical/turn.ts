/**
 * The turn that a conversation is in the middle of: for Claude, calls of tools, their results and what follows are one turn, in
 * however many messages. While it thinks by a budget, such a turn has to begin with a thought; while it does not think, those in
 * it are ignored at best, and have been refused (Anthropic's guide "Thinking", "Thinking with tool use").
 */
import { isObject, listOf } from './values.ts'

/** How an API's blocks are told apart. */
export interface BlockKinds {
  isThought(block: object): boolean
  /** Whether it is what a tool gave. */
  isResult(block: object): boolean
}

/** Whether the model may think on: no turn is in progress, or it begins with a thought. */
export function canThinkOn(messages: readonly unknown[], kinds: BlockKinds): boolean {
  const begin = turnInProgress(messages, kinds)
  if (begin === null) return true
  const [first] = contentOf(messages[begin])
  return isObject(first) && kinds.isThought(first)
}

/** @returns the messages without what was thought in the turn that is in progress */
export function withoutThoughts<T>(messages: readonly T[], kinds: BlockKinds): readonly T[] {
  const begin = turnInProgress(messages, kinds)
  if (begin === null) return messages
  return messages.flatMap((message, i) => {
    const before = contentOf(message)
    const content = i < begin ? before : before.filter((block) => !isObject(block) || !kinds.isThought(block))
    if (content.length === before.length) return [message]
    return content.length === 0 ? [] : [{ ...message, content }]
  })
}

/** @returns which message it begins with; null: the user has the last word, and no tool's results are among it */
export function turnInProgress(messages: readonly unknown[], kinds: BlockKinds): number | null {
  let begin: number | null = null
  /** What the user has said since the model did. */
  let said: 'nothing' | 'words' | 'results' = 'nothing'
  for (const [i, message] of messages.entries()) {
    const role = isObject(message) ? message['role'] : null
    if (role === 'assistant') {
      if (begin === null || said === 'words') begin = i
      said = 'nothing'
    } else if (role === 'user' && said !== 'results') {
      said = contentOf(message).some((block) => isObject(block) && kinds.isResult(block)) ? 'results' : 'words'
    }
  }
  return said === 'words' ? null : begin
}

function contentOf(message: unknown): readonly unknown[] {
  return isObject(message) ? listOf(message['content']) : []
}
