/** The parts of messages and of tools' results. */
import type { FilePart, ImagePart, Part, Source, TextPart } from '../../canonical/content.ts'
import { isDataUrl, isRemoteUrl, readBase64, readDataUrl } from '../../canonical/data-url.ts'
import { unsayable, wrong } from '../../canonical/problem.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import { readCitation } from './annotations.ts'
import { objectsOf, stringOf } from './values.ts'

export function readContent(content: unknown, at: string): Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw wrong(at, 'The content has to be a string or a list.')
  return content.map((part: unknown, i) => readPart(part, `${at}[${i}]`))
}

export function readResultContent(output: unknown, at: string): (TextPart | ImagePart | FilePart)[] {
  return readContent(output, at).map((part, i) => {
    if (part.type === 'text' || part.type === 'image' || part.type === 'file') return part
    throw wrong(`${at}[${i}].type`, 'The result of a tool is made of texts, images and files.')
  })
}

function readPart(part: unknown, at: string): Part {
  if (!isObject(part)) throw wrong(at, 'A part of the content has to be an object.')
  switch (part['type']) {
    case 'input_text':
    case 'text':
      return { type: 'text', text: need(part, 'text', at) }
    case 'output_text':
      return readOutputText(part, at)
    case 'summary_text':
    case 'reasoning_text':
      return { type: 'reasoning', text: need(part, 'text', at), signature: null }
    case 'refusal':
      return { type: 'refusal', text: need(part, 'refusal', at) }
    case 'input_image':
      return readImage(part, at)
    case 'input_file':
      return readFile(part, at)
    case 'input_audio':
      return readAudio(part, at)
    default:
      throw wrong(`${at}.type`, 'The type has to be one of input_text, input_image, input_file, output_text, refusal.')
  }
}

function readOutputText(part: JsonObject, at: string): TextPart {
  const text = need(part, 'text', at)
  const citations = objectsOf(part['annotations']).map(readCitation)
  return citations.length === 0 ? { type: 'text', text } : { type: 'text', text, citations }
}

function readImage(part: JsonObject, at: string): ImagePart {
  refuseFileId(part, at)
  const url = need(part, 'image_url', at)
  const detail = stringOf(part['detail'])
  return { type: 'image', source: sourceOf(url, `${at}.image_url`), ...(detail !== null && { detail }) }
}

function readFile(part: JsonObject, at: string): FilePart {
  refuseFileId(part, at)
  const url = stringOf(part['file_url'])
  const name = stringOf(part['filename'])
  const source =
    url === null ? dataSource(need(part, 'file_data', at), name, `${at}.file_data`) : sourceOf(url, `${at}.file_url`)
  return { type: 'file', source, ...(name !== null && { filename: name }) }
}

function readAudio({ input_audio: audio }: JsonObject, at: string): Part {
  if (!isObject(audio)) throw wrong(`${at}.input_audio`, '"input_audio" has to be an object.')
  const data = base64Of(need(audio, 'data', `${at}.input_audio`), `${at}.input_audio.data`)
  return { type: 'audio', data, format: need(audio, 'format', `${at}.input_audio`) }
}

function refuseFileId({ file_id: id }: JsonObject, at: string): void {
  if (id != null)
    throw unsayable(
      `${at}.file_id`,
      'A file that was uploaded is known to the provider that has it only: send its data.',
    )
}

function sourceOf(url: string, at: string): Source {
  if (!isDataUrl(url)) {
    if (!isRemoteUrl(url)) throw wrong(at, 'The URL has to begin with https:, http: or data:.')
    return { from: 'url', url }
  }
  const read = readDataUrl(url)
  if (read === null) throw wrong(at, 'The data URL is not "data:TYPE;base64,DATA".')
  return { from: 'data', mediaType: read.mediaType || 'application/octet-stream', data: read.data }
}

/** Data without a URL's beginning is that of a PDF, unless its name says otherwise. */
function dataSource(data: string, name: string | null, at: string): Source {
  if (isDataUrl(data)) return sourceOf(data, at)
  const type = name !== null && /\.(?:txt|md|csv)$/i.test(name) ? 'text/plain' : 'application/pdf'
  return { from: 'data', mediaType: type, data: base64Of(data, at) }
}

function base64Of(text: string, at: string): string {
  const data = readBase64(text)
  if (data === null) throw wrong(at, 'The data is not base64.')
  return data
}

function need(part: JsonObject, name: string, at: string): string {
  const value = part[name]
  if (typeof value === 'string') return value
  throw wrong(`${at}.${name}`, `"${name}" has to be a string.`)
}
