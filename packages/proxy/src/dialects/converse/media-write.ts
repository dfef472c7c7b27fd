/** Images, documents and recordings as Converse's blocks: their bytes, since it fetches nothing. */
import type { AudioPart, FilePart, ImagePart } from '../../canonical/content.ts'
import { unsayable } from '../../canonical/problem.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { DocumentNames } from './names.ts'

const IMAGES: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
}

const DOCUMENTS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/plain': 'txt',
  'text/markdown': 'md',
  'text/x-markdown': 'md',
}
const EXTENSION = /\.(pdf|csv|docx?|xlsx?|html|txt|md)$/i

const RECORDINGS = new Set('mp3 opus wav aac flac mp4 ogg mkv mka x-aac m4a mpeg mpga pcm webm'.split(' '))

/** @param param names what it stands in @throws GatewayError unsupported_endpoint */
export function imageBlock({ source }: ImagePart, param: string): JsonObject {
  const { mediaType, data } = bytesOf(source, param, 'images')
  const format = IMAGES[mediaType]
  if (format === undefined) {
    throw unsayable(param, `Bedrock takes images as png, jpeg, gif and webp, and not as "${mediaType}".`)
  }
  return { image: { format, source: { bytes: data } } }
}

/** @param cites whether the model can cite a document @throws GatewayError unsupported_endpoint */
export function documentBlock(part: FilePart, param: string, names: DocumentNames, cites: boolean): JsonObject {
  const { source, filename } = part
  const { mediaType, data } =
    source.from === 'text'
      ? { mediaType: 'text/plain', data: Buffer.from(source.text).toString('base64') }
      : bytesOf(source, param, 'files')
  if (IMAGES[mediaType] !== undefined) {
    return imageBlock({ type: 'image', source: { from: 'data', mediaType, data } }, param)
  }
  const format = DOCUMENTS[mediaType] ?? EXTENSION.exec(filename ?? '')?.[1]!.toLowerCase()
  if (format === undefined) {
    throw unsayable(
      param,
      `Bedrock takes files as ${[...new Set(Object.values(DOCUMENTS))].join(', ')}, and not as "${mediaType}".`,
    )
  }
  const citations = part.citations === true && cites ? { citations: { enabled: true } } : {}
  return { document: { format, name: names.nameOf(filename), source: { bytes: data }, ...citations } }
}

/** @throws GatewayError unsupported_endpoint */
export function audioBlock({ data, format }: AudioPart, param: string): JsonObject {
  if (!RECORDINGS.has(format)) throw unsayable(param, `Bedrock takes no recordings as "${format}".`)
  return { audio: { format, source: { bytes: data } } }
}

function bytesOf(
  source: ImagePart['source'],
  param: string,
  what: string,
): { readonly mediaType: string; readonly data: string } {
  if (source.from === 'data')
    return { mediaType: source.mediaType.toLowerCase().split(';')[0]!.trim(), data: source.data }
  throw unsayable(
    param,
    source.from === 'url'
      ? `Bedrock fetches no ${what}: send their bytes in a data: URL in place of an address.`
      : `Bedrock has no ${what} that were uploaded elsewhere: send their bytes.`,
  )
}
