/** Images and documents, as the Messages API has them. */
import type { FilePart, ImagePart, TextPart } from '../../canonical/content.ts'
import { isRemoteUrl, readBase64 } from '../../canonical/data-url.ts'
import { unsayable, wrong } from '../../canonical/problem.ts'
import { filledText, isObject, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import { cacheOf, readText } from './read-text.ts'

/** @param at where it stands: `messages[2].content[0]` */
export function readImage(block: JsonObject, at: string): ImagePart {
  const source = sourceOf(block, at)
  const place = `${at}.source`
  switch (source['type']) {
    case 'url':
      return { type: 'image', source: { from: 'url', url: urlOf(source, place) }, ...cacheOf(block) }
    case 'base64': {
      const mediaType = textOf(source['media_type']).toLowerCase()
      if (!mediaType.startsWith('image/')) throw wrong(`${place}.media_type`, `"${place}.media_type" is no image's.`)
      return { type: 'image', source: { from: 'data', mediaType, data: dataOf(source, place) }, ...cacheOf(block) }
    }
    case 'file':
      throw uploaded(place)
    default:
      throw wrong(`${place}.type`, `"${place}.type" has to be base64, url or file.`)
  }
}

/** A document is one part, or several where it has images in it or a context beside it. */
export function readDocument(block: JsonObject, at: string): (FilePart | TextPart | ImagePart)[] {
  const context = filledText(block['context'])
  const before: TextPart[] = context === null ? [] : [{ type: 'text', text: context }]
  const source = sourceOf(block, at)
  const place = `${at}.source`
  switch (source['type']) {
    case 'base64': {
      const mediaType = filledText(source['media_type'])?.toLowerCase() ?? 'application/pdf'
      return [...before, fileOf(block, { from: 'data', mediaType, data: dataOf(source, place) })]
    }
    case 'text':
      return [...before, fileOf(block, { from: 'text', text: textIn(source['data'], `${place}.data`) })]
    case 'url':
      return [...before, fileOf(block, { from: 'url', url: urlOf(source, place) })]
    case 'content':
      return [...before, ...readParts(block, source['content'], `${place}.content`)]
    case 'file':
      throw uploaded(place)
    default:
      throw wrong(`${place}.type`, `"${place}.type" has to be base64, text, url, content or file.`)
  }
}

/** What a search of the client's has found, as a document whose first line is where it was found. */
export function readSearchResult(block: JsonObject, at: string): FilePart {
  const texts = listOf(block['content']).map((part, i) => readText(part, `${at}.content[${i}]`).text)
  const source = filledText(block['source'])
  const text = [...(source === null ? [] : [source]), ...texts].join('\n')
  return fileOf(block, { from: 'text', text })
}

/** A document that is put together of blocks: its text as one, its images by themselves. */
function readParts(block: JsonObject, content: unknown, at: string): (FilePart | ImagePart)[] {
  if (typeof content === 'string') return [fileOf(block, { from: 'text', text: content })]
  if (!Array.isArray(content)) throw wrong(at, `"${at}" has to be a text or a list of blocks.`)
  const texts: string[] = []
  const images: ImagePart[] = []
  for (const [i, part] of content.entries()) {
    if (isObject(part) && part['type'] === 'image') images.push(readImage(part, `${at}[${i}]`))
    else texts.push(readText(part, `${at}[${i}]`).text)
  }
  return texts.length === 0 ? images : [fileOf(block, { from: 'text', text: texts.join('\n') }), ...images]
}

function fileOf(block: JsonObject, source: FilePart['source']): FilePart {
  const title = filledText(block['title'])
  const cited = objectOf(block['citations'])['enabled'] === true
  return {
    type: 'file',
    source,
    ...(title === null ? {} : { filename: title }),
    ...(cited ? { citations: true } : {}),
    ...cacheOf(block),
  }
}

function sourceOf(block: JsonObject, at: string): JsonObject {
  const { source } = block
  if (!isObject(source)) throw wrong(`${at}.source`, `"${at}.source" has to be an object.`)
  return source
}

function urlOf(source: JsonObject, at: string): string {
  const url = textOf(source['url'])
  if (!isRemoteUrl(url)) throw wrong(`${at}.url`, `"${at}.url" has to be a URL.`)
  return url
}

function dataOf(source: JsonObject, at: string): string {
  const data = readBase64(textOf(source['data']))
  if (data === null) throw wrong(`${at}.data`, `"${at}.data" has to be base64.`)
  return data
}

function textIn(value: unknown, at: string): string {
  if (typeof value !== 'string') throw wrong(at, `"${at}" has to be a text.`)
  return value
}

function uploaded(at: string): Error {
  return unsayable(at, 'A file that was uploaded is known to the provider that has it only: send its data.')
}
