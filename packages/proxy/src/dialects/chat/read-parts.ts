/** The parts of a message's content, as OpenAI's "Create chat completion" has them, and as OpenRouter and LiteLLM add to them. */
import type { AudioPart, CacheMark, FilePart, ImagePart, RefusalPart, TextPart } from '../../canonical/content.ts'
import { isDataUrl, isRemoteUrl, readBase64, readDataUrl } from '../../canonical/data-url.ts'
import { unsayable, wrong } from '../../canonical/problem.ts'
import { filledText, isObject, objectOf, type JsonObject } from '../../canonical/values.ts'

export type ContentPart = TextPart | ImagePart | FilePart | AudioPart | RefusalPart

/** @param at where it stands: `messages[2].content` */
export function readContent(content: unknown, at: string): ContentPart[] {
  if (content === null || content === undefined) return []
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw wrong(at, `"${at}" has to be a text or a list of parts.`)
  return content.map((part, i) => readPart(part, `${at}[${i}]`))
}

/** Those that are text. @param at as {@link readContent} takes it */
export function readTexts(content: unknown, at: string): TextPart[] {
  return readContent(content, at).map((part, i) => {
    if (part.type !== 'text') throw wrong(`${at}[${i}].type`, `"${at}" can have text only.`)
    return part
  })
}

/** OpenRouter's and LiteLLM's `cache_control`, which is Anthropic's. */
export function cacheOf(value: JsonObject): { cache?: CacheMark } {
  const control = value['cache_control']
  return isObject(control) ? { cache: { ttl: filledText(control['ttl']) } } : {}
}

function readPart(part: unknown, at: string): ContentPart {
  if (typeof part === 'string') return { type: 'text', text: part }
  if (!isObject(part)) throw wrong(at, `"${at}" has to be an object.`)
  const cache = cacheOf(part)
  switch (part['type']) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: required(part['text'], `${at}.text`), ...cache }
    case 'refusal':
      return { type: 'refusal', text: required(part['refusal'], `${at}.refusal`) }
    case 'image_url':
      return { ...readImage(part['image_url'], `${at}.image_url`), ...cache }
    case 'input_audio':
      return { ...readAudio(objectOf(part['input_audio']), `${at}.input_audio`), ...cache }
    case 'file':
      return { ...readFile(objectOf(part['file']), `${at}.file`), ...cache }
    default:
      throw wrong(`${at}.type`, `"${at}.type" has to be text, image_url, input_audio, file or refusal.`)
  }
}

function readImage(image: unknown, at: string): ImagePart {
  const { url, detail } = isObject(image) ? image : { url: image }
  const place = isObject(image) ? `${at}.url` : at
  const text = required(url, place)
  const shown = typeof detail === 'string' ? { detail } : {}
  if (!isDataUrl(text)) {
    if (!isRemoteUrl(text)) throw wrong(place, `"${place}" has to be a URL, https: or data:.`)
    return { type: 'image', source: { from: 'url', url: text }, ...shown }
  }
  const data = readDataUrl(text)
  if (data === null) throw wrong(place, `"${place}" has to hold base64: data:image/png;base64,…`)
  if (!data.mediaType.startsWith('image/'))
    throw wrong(place, `"${place}" is no image, but ${data.mediaType || 'unnamed'}.`)
  return { type: 'image', source: { from: 'data', ...data }, ...shown }
}

function readAudio(audio: JsonObject, at: string): AudioPart {
  const data = readBase64(required(audio['data'], `${at}.data`))
  if (data === null) throw wrong(`${at}.data`, `"${at}.data" has to be base64.`)
  return { type: 'audio', data, format: required(audio['format'], `${at}.format`) }
}

function readFile(file: JsonObject, at: string): FilePart {
  if (filledText(file['file_id']) !== null) {
    throw unsayable(
      `${at}.file_id`,
      'A file that was uploaded is known to the provider that has it only: send its data.',
    )
  }
  const place = `${at}.file_data`
  const content = required(file['file_data'], place)
  const name = filledText(file['filename'])
  const named = name === null ? {} : { filename: name }
  if (isRemoteUrl(content)) return { type: 'file', source: { from: 'url', url: content }, ...named }
  const data = isDataUrl(content) ? readDataUrl(content) : bareFile(content, name)
  if (data === null) throw wrong(place, `"${place}" has to hold base64: data:application/pdf;base64,…`)
  return {
    type: 'file',
    source: { from: 'data', data: data.data, mediaType: data.mediaType || typeOf(name) },
    ...named,
  }
}

function bareFile(content: string, name: string | null): { mediaType: string; data: string } | null {
  const data = readBase64(content)
  return data === null ? null : { mediaType: typeOf(name), data }
}

const TYPES: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}

/** By the name's ending. What OpenAI takes most of is PDF. */
function typeOf(name: string | null): string {
  const ending = name?.split('.').at(-1)?.toLowerCase() ?? ''
  return Object.hasOwn(TYPES, ending) ? TYPES[ending]! : 'application/pdf'
}

function required(value: unknown, at: string): string {
  if (typeof value !== 'string') throw wrong(at, `"${at}" has to be a text.`)
  return value
}
