/** A canonical answer as a Response object (OpenAI's API reference, "The response object"). */
import type { CanonicalAnswer, Choice, TokenLogprob } from '../../canonical/answer.ts'
import type { Part } from '../../canonical/content.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { AnswerWriter } from '../../canonical/writer.ts'
import type { ItemStatus } from './events-write.ts'
import { endingOf } from './finish.ts'
import { itemId, messageItem, outputText, refusalContent, sealedItem, wholeItem } from './items-write.ts'
import { sealCall } from './reasoning-seal.ts'
import { compact, ResponseObject } from './response-object.ts'
import { ResponsesStreamWriter } from './stream-write.ts'

export const responsesWriter: AnswerWriter = {
  answer(answer: CanonicalAnswer, saying): string {
    if (answer.kind !== 'chat') throw new Error(`a response cannot say ${answer.kind}`)
    const { id, created, choices, usage, serviceTier } = answer
    const [choice = NOTHING] = choices
    const ending = endingOf(
      choice.finish.reason,
      choice.content.some(({ type }) => type === 'refusal'),
    )
    const items = itemsOf(choice, compact(saying.id), ending.status === 'completed' ? 'completed' : 'incomplete')
    return new ResponseObject(saying, id, created, serviceTier).in({
      ending,
      items: items.map((item) => JSON.stringify(item)),
      usage,
    })
  },
  stream: (saying) => new ResponsesStreamWriter(saying),
}

const NOTHING: Choice = {
  index: 0,
  content: [],
  finish: { reason: 'stop', own: null, stopSequence: null },
  logprobs: null,
}

/** Neighbouring texts are one message. @param last how its last item ended */
function itemsOf({ content, logprobs }: Choice, unique: string, last: ItemStatus): JsonObject[] {
  const items: JsonObject[] = []
  let said: JsonObject[] = []
  let unsaid = logprobs
  for (const [i, part] of content.entries()) {
    const text = contentOf(part, unsaid)
    if (text !== null) {
      said.push(text)
      unsaid = null
      continue
    }
    said = say(items, said, unique, 'completed')
    const item = wholeItem(part, items.length, unique, i === content.length - 1 ? last : 'completed')
    if (item !== null) items.push(item)
    if (part.type === 'tool_call' && part.signature !== undefined) {
      const call = String(item!['call_id'])
      items.push(sealedItem(itemId('rs', unique, items.length), '', sealCall(call, part.signature)))
    }
  }
  say(items, said, unique, last)
  return items
}

function say(items: JsonObject[], content: JsonObject[], unique: string, status: ItemStatus): JsonObject[] {
  if (content.length === 0) return content
  items.push(messageItem(itemId('msg', unique, items.length), status, content))
  return []
}

/** @returns null: it is no part of a message */
function contentOf(part: Part, logprobs: readonly TokenLogprob[] | null): JsonObject | null {
  if (part.type === 'text') return outputText(part.text, part.citations, logprobs ?? [])
  if (part.type === 'refusal') return refusalContent(part.text)
  if (part.type === 'audio' && part.transcript) return outputText(part.transcript)
  return null
}
