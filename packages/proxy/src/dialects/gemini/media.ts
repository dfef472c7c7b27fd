/** Images, recordings and files as Gemini's `inlineData` and `fileData`. */
import type { AudioPart, FilePart, ImagePart, Source } from '../../canonical/content.ts'
import { unsayable } from '../../canonical/problem.ts'
import type { JsonObject } from '../../canonical/values.ts'

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  bmp: 'image/bmp',
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  htm: 'text/html',
  xml: 'text/xml',
  json: 'application/json',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
}

/** OpenAI's names of recordings, where they are not what follows `audio/`. */
const AUDIO_TYPES: Readonly<Record<string, string>> = { pcm16: 'audio/L16;rate=24000', m4a: 'audio/mp4' }
const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  mpeg: 'mp3',
  'x-wav': 'wav',
  wave: 'wav',
  L16: 'pcm16',
  l16: 'pcm16',
  pcm: 'pcm16',
}

/** @param param the client's name of where it stands */
export function mediaOf(part: ImagePart | FilePart | AudioPart, param: string): JsonObject {
  if (part.type === 'audio') {
    return inline(AUDIO_TYPES[part.format] ?? `audio/${part.format}`, part.data)
  }
  const { source } = part
  if (source.from === 'text') {
    const title = part.type === 'file' && part.filename !== undefined ? `${part.filename}\n\n` : ''
    return { text: title + source.text }
  }
  return sourceOf(source, part.type === 'image' ? 'image/jpeg' : 'application/pdf', param)
}

function sourceOf(source: Source, otherwise: string, param: string): JsonObject {
  if (source.from === 'data') return inline(source.mediaType, source.data)
  if (source.from === 'url') return { fileData: { mimeType: typeOfUrl(source.url) ?? otherwise, fileUri: source.url } }
  throw unsayable(
    param,
    `The file "${source.id}" is another provider's: Gemini can only be given a file's data or address.`,
  )
}

/** By what its path ends in. */
function typeOfUrl(url: string): string | null {
  const path = url.split(/[?#]/, 1)[0]!
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  return Object.hasOwn(TYPES, ending) ? TYPES[ending]! : null
}

function inline(mimeType: string, data: string): JsonObject {
  return { inlineData: { mimeType, data } }
}

/** What a model has made. */
export function readMedia(mimeType: string, data: string): ImagePart | FilePart | AudioPart {
  if (mimeType.startsWith('audio/')) {
    const subtype = mimeType.slice('audio/'.length).split(';', 1)[0]!.trim()
    return { type: 'audio', data, format: AUDIO_FORMATS[subtype] ?? subtype }
  }
  const source = { from: 'data', mediaType: mimeType, data } as const
  return mimeType.startsWith('image/') ? { type: 'image', source } : { type: 'file', source }
}
