/** Values as packed.ts says that they are made, for what it would never make. */
import { crc32, zstdCompressSync } from 'node:zlib'

import type { PackedHead } from '../../../packages/proxy/dist/cache/packed-head.js'

interface FrameOptions {
  readonly zstd?: boolean
  /** The length that it claims to be of, unpacked. */
  readonly said?: number
  readonly form?: number
}

export function frame(packing: Buffer, options: FrameOptions = {}): Buffer {
  const { zstd = false, said = packing.length, form = zstd ? 1 : 0 } = options
  const packed = zstd ? zstdCompressSync(packing) : packing
  const value = Buffer.alloc(14 + packed.length)
  value.write('MLRA\x01', 'latin1')
  value[5] = form
  value.writeUInt32LE(said, 10)
  packed.copy(value, 14)
  value.writeUInt32LE(crc32(value.subarray(10)), 6)
  return value
}

/** @param head as an object, or as a text that is no JSON */
export function content(head: unknown, body: string): Buffer {
  const text = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([length, text, Buffer.from(body, 'latin1')])
}

export type Head = { -readonly [Name in keyof PackedHead]: PackedHead[Name] }
