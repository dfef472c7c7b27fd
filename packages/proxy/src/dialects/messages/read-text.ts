/** Text, as the Messages API has it, and the marks of what is kept. */
import type { CacheMark, TextPart } from '../../canonical/content.ts'
import { wrong } from '../../canonical/problem.ts'
import { filledText, isObject, listOf, type JsonObject } from '../../canonical/values.ts'
import { readCitation } from './citations.ts'

/** @param at where it stands, for errors */
export function readText(block: unknown, at: string): TextPart {
  if (!isObject(block) || block['type'] !== 'text') throw wrong(`${at}.type`, `"${at}" has to be a block of text.`)
  const { text } = block
  if (typeof text !== 'string') throw wrong(`${at}.text`, `"${at}.text" has to be a text.`)
  const citations = listOf(block['citations'])
    .map(readCitation)
    .filter((one) => one !== null)
  return { type: 'text', text, ...(citations.length === 0 ? {} : { citations }), ...cacheOf(block) }
}

/** A text, or a list of blocks of it. */
export function readTexts(content: unknown, at: string): TextPart[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw wrong(at, `"${at}" has to be a text or a list of blocks.`)
  return content.map((block, i) => readText(block, `${at}[${i}]`))
}

export function cacheOf(block: JsonObject): { cache?: CacheMark } {
  const control = block['cache_control']
  return isObject(control) ? { cache: { ttl: filledText(control['ttl']) } } : {}
}
