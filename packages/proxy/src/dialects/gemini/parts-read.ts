/** A part of what a Gemini model says, in the common form. */
import { newId } from '@millrace/shared'

import type { ImagePart, AudioPart, FilePart, Own, Signature, ToolCallPart } from '../../canonical/content.ts'
import { readInput } from '../../canonical/tool-text.ts'
import { filledText, isObject, textOf, type JsonObject } from '../../canonical/values.ts'
import { readMedia } from './media.ts'
import type { Memo } from './request-write.ts'

/** Null: it has none. */
export function signatureOf({ thoughtSignature }: JsonObject): Signature | null {
  const value = filledText(thoughtSignature)
  return value === null ? null : { origin: 'gemini', value }
}

/** @returns null: it is no call, or one of nothing */
export function readCall(part: JsonObject, { customs, names }: Memo): ToolCallPart | null {
  const { functionCall } = part
  if (!isObject(functionCall)) return null
  const { id, name, args } = functionCall
  const told = filledText(name)
  if (told === null) return null
  const called = names.get(told) ?? told
  const signature = signatureOf(part)
  const isCustom = customs.includes(called)
  return {
    type: 'tool_call',
    id: filledText(id) ?? newCallId(),
    name: called,
    arguments: readInput(args ?? {}, isCustom),
    ...(isCustom ? { kind: 'custom' } : {}),
    ...(signature === null ? {} : { signature }),
  }
}

/** Older models give calls no ids. One must not come again in a later turn either. */
function newCallId(): string {
  return `call_${newId().replaceAll('-', '')}`
}

/** @returns null: it is neither an image nor a recording nor a file */
export function readInline({ inlineData, fileData }: JsonObject): ImagePart | AudioPart | FilePart | null {
  if (isObject(inlineData)) {
    const data = filledText(inlineData['data'])
    return data === null ? null : readMedia(filledText(inlineData['mimeType']) ?? 'application/octet-stream', data)
  }
  if (!isObject(fileData)) return null
  const url = filledText(fileData['fileUri'])
  if (url === null) return null
  const type = textOf(fileData['mimeType']).startsWith('image/') ? 'image' : 'file'
  return { type, source: { from: 'url', url } }
}

/** What only Gemini says: code that it ran, and such. @returns null: it says nothing */
export function readOwn(part: JsonObject): Own | null {
  return Object.keys(part).some((name) => !OF_TEXT.has(name)) ? { origin: 'gemini', value: part } : null
}

const OF_TEXT: ReadonlySet<string> = new Set(['text', 'thought', 'thoughtSignature', 'functionCall'])
