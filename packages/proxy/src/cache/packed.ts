/**
 * An answer as it stands in Redis. A value that is cut, altered, of another version or not ours at all is null, as is one of
 * another key: Redis is shared, and what it gives goes to clients.
 *
 * `MLRA`, a version, a form (0 plain, 1 zstd), the CRC-32 of what follows, the length of what is packed, and that, in its
 * form: the length of a head, the head (JSON), the body. Numbers are unsigned, of 32 bits, the least significant byte first.
 */
import { promisify } from 'node:util'
import { constants, crc32, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'

import type { StoredAnswer } from './answer.ts'
import { checkedHead, headOf } from './packed-head.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

const MAGIC = Buffer.from('MLRA\x01', 'latin1')
const FORM_AT = MAGIC.length
const CRC_AT = FORM_AT + 1
const LENGTH_AT = CRC_AT + 4
const CONTENT_AT = LENGTH_AT + 4
const PLAIN = 0
const ZSTD = 1

/** What is smaller is not compressed. */
const COMPRESSED_FROM = 1_024
/** Up to here it costs less to do it at once than to have another thread do it. */
const COMPRESSED_AT_ONCE = 16_384
const DECOMPRESSED_AT_ONCE = 65_536
const LEVEL = { [constants.ZSTD_c_compressionLevel]: 1 }
/** Of what is packed: an answer of the largest size, with a head for its streams' parts. */
const MOST_BYTES = 8 * 1024 * 1024
/** Of a whole value. What doesn't compress becomes longer by less than a part in 256. */
export const MOST_PACKED_BYTES = MOST_BYTES + MOST_BYTES / 256 + 1_024

export interface Unpacked {
  readonly answer: StoredAnswer
  /** As it was given with the answer. */
  readonly mark: string
}

/** @returns null: it is too large */
export async function pack(key: string, mark: string, answer: StoredAnswer): Promise<Buffer | null> {
  const head = JSON.stringify(headOf(key, mark, answer))
  const headLength = Buffer.byteLength(head)
  const length = 4 + headLength + answer.body.length
  if (length > MOST_BYTES) return null
  const value = Buffer.allocUnsafe(CONTENT_AT + length)
  value.writeUInt32LE(headLength, CONTENT_AT)
  value.write(head, CONTENT_AT + 4)
  value.write(answer.body, CONTENT_AT + 4 + headLength, 'latin1')
  if (length < COMPRESSED_FROM) return sealed(value, PLAIN, length)
  const content = value.subarray(CONTENT_AT)
  const smaller = await (length <= COMPRESSED_AT_ONCE
    ? zstdCompressSync(content, { params: LEVEL })
    : compress(content, { params: LEVEL }))
  return sealed(Buffer.concat([value.subarray(0, CONTENT_AT), smaller]), ZSTD, length)
}

function sealed(value: Buffer, form: number, length: number): Buffer {
  MAGIC.copy(value)
  value[FORM_AT] = form
  value.writeUInt32LE(length, LENGTH_AT)
  value.writeUInt32LE(crc32(value.subarray(LENGTH_AT)), CRC_AT)
  return value
}

/** Never fails. @returns null: it is nothing that {@link pack} has made of this key */
export async function unpack(key: string, value: Buffer): Promise<Unpacked | null> {
  if (value.length < CONTENT_AT || !value.subarray(0, FORM_AT).equals(MAGIC)) return null
  if (crc32(value.subarray(LENGTH_AT)) !== value.readUInt32LE(CRC_AT)) return null
  const length = value.readUInt32LE(LENGTH_AT)
  if (length < 4 || length > MOST_BYTES) return null
  try {
    const content = await contentOf(value[FORM_AT]!, value.subarray(CONTENT_AT), length)
    return content?.length === length ? answerIn(key, content) : null
  } catch {
    return null
  }
}

/** @throws Error if it is not compressed as it should be, or longer than it says */
async function contentOf(form: number, content: Buffer, length: number): Promise<Buffer | null> {
  if (form === PLAIN) return content
  if (form !== ZSTD) return null
  const options = { maxOutputLength: length, chunkSize: Math.max(length, constants.Z_MIN_CHUNK) }
  return length <= DECOMPRESSED_AT_ONCE ? zstdDecompressSync(content, options) : decompress(content, options)
}

/** @throws Error if the head is no JSON */
function answerIn(key: string, content: Buffer): Unpacked | null {
  const bodyAt = 4 + content.readUInt32LE(0)
  if (bodyAt > content.length) return null
  const head = checkedHead(JSON.parse(content.toString('utf8', 4, bodyAt)), content.length - bodyAt)
  if (head === null || head.key !== key) return null
  const { mark, answer } = head
  return { mark, answer: { ...answer, body: content.toString('latin1', bodyAt) } }
}
