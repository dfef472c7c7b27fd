/** A whole answer of `generateContent`. */
import type { ChatAnswer, Choice } from '../../canonical/answer.ts'
import type { Part } from '../../canonical/content.ts'
import { parseExact } from '../../canonical/exact-json.ts'
import { isObject, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import type { ProviderErrorAnswer } from '../../canonical/wire.ts'
import { NOWHERE, readCitations, TextPositions } from './citations.ts'
import { readError } from './errors.ts'
import { blockedFinish, finishOf } from './finish.ts'
import { readLogprobs } from './logprobs.ts'
import { readCall, readInline, readOwn, signatureOf } from './parts-read.ts'
import type { Memo } from './request-write.ts'
import { readUsage } from './usage.ts'

/** @returns null if it is no answer of this API */
export function readAnswer(answer: unknown, memo: Memo): ChatAnswer | ProviderErrorAnswer | null {
  const error = readError(answer)
  if (error !== null) return { kind: 'error', error }
  if (!isObject(answer)) return null
  const { candidates, promptFeedback, usageMetadata } = answer
  const said = listOf(candidates).filter(isObject)
  const blocked = blockReasonOf(promptFeedback)
  if (said.length === 0 && blocked === null) return null
  const choices: readonly Choice[] =
    said.length > 0
      ? said.map((candidate, i) => readCandidate(candidate, i, memo))
      : [{ index: 0, content: [], finish: blockedFinish(blocked!), logprobs: null }]
  return { kind: 'chat', ...headOf(answer), choices, usage: readUsage(usageMetadata) }
}

/** Why a prompt was refused; null: it was not. */
export function blockReasonOf(promptFeedback: unknown): string | null {
  const { blockReason } = objectOf(promptFeedback)
  return typeof blockReason === 'string' ? blockReason : null
}

/** What an answer says of itself, each piece of a streamed one too. */
export function headOf(answer: JsonObject): Pick<ChatAnswer, 'id' | 'created' | 'serviceTier' | 'systemFingerprint'> {
  const created = Date.parse(textOf(answer['createTime']))
  const tier = textOf(objectOf(answer['usageMetadata'])['serviceTier']).toLowerCase()
  return {
    id: textOf(answer['responseId']),
    created: Number.isNaN(created) ? null : Math.floor(created / 1000),
    serviceTier: tier === 'standard' ? 'default' : tier === 'flex' || tier === 'priority' ? tier : null,
    systemFingerprint: null,
  }
}

/** @param place where it stands among others: what has no number is numbered so */
export function indexOf({ index }: JsonObject, place: number): number {
  return Number.isInteger(index) && Number(index) >= 0 && Number(index) < MOST_CANDIDATES ? Number(index) : place
}

const MOST_CANDIDATES = 1_000

function readCandidate(candidate: JsonObject, place: number, memo: Memo): Choice {
  const content = contentOf(candidate, memo)
  const calls = content.some(({ type }) => type === 'tool_call')
  return {
    index: indexOf(candidate, place),
    content: cited(content, candidate),
    finish: finishOf(textOf(candidate['finishReason']), calls),
    logprobs: readLogprobs(candidate['logprobsResult']),
  }
}

function contentOf(candidate: JsonObject, memo: Memo): Part[] {
  const content: Part[] = []
  for (const part of listOf(objectOf(candidate['content'])['parts'])) if (isObject(part)) addPart(content, part, memo)
  return content
}

function addPart(content: Part[], part: JsonObject, memo: Memo): void {
  const call = readCall(part, memo)
  if (call !== null) {
    content.push(call)
    return
  }
  const signature = signatureOf(part)
  const text = textOf(part['text'])
  if (part['thought'] === true) {
    if (text !== '' || signature !== null) content.push({ type: 'reasoning', text, signature, summary: true })
    return
  }
  const media = readInline(part)
  const own = media === null ? readOwn(part) : null
  if (own !== null) {
    content.push({ type: 'own', own })
    return
  }
  const last = content.at(-1)
  if (media !== null) content.push(media)
  else if (text !== '' && last?.type === 'text') content[content.length - 1] = { ...last, text: last.text + text }
  else if (text !== '') content.push({ type: 'text', text })
  if (signature !== null) content.push({ type: 'reasoning', text: '', signature })
}

/** What the answer rests on, with its text. */
function cited(content: readonly Part[], candidate: JsonObject): readonly Part[] {
  const last = content.findLast(({ type }) => type === 'text')
  if (last?.type !== 'text') return content
  const only = content.every((part) => part === last || part.type !== 'text')
  const citations = readCitations(candidate, only ? new TextPositions(last.text) : NOWHERE)
  return citations.length === 0 ? content : content.map((part) => (part === last ? { ...last, citations } : part))
}

/**
 * As `JSON.parse`, but that the numbers in arguments of tools leave as they came.
 * @throws SyntaxError
 */
export function parseAnswer(text: string): unknown {
  const answer: unknown = JSON.parse(text)
  if (text.includes('"functionCall"')) keepArguments(answer, parseExact(text))
  return answer
}

function keepArguments(answer: unknown, exact: unknown): void {
  const exactCandidates = listOf(objectOf(exact)['candidates'])
  for (const [i, candidate] of listOf(objectOf(answer)['candidates']).entries()) {
    const exactParts = listOf(objectOf(objectOf(exactCandidates[i])['content'])['parts'])
    for (const [j, part] of listOf(objectOf(objectOf(candidate)['content'])['parts']).entries()) {
      const call = objectOf(part)['functionCall'] as Record<string, unknown> | undefined
      if (isObject(call)) call['args'] = objectOf(objectOf(exactParts[j])['functionCall'])['args']
    }
  }
}
