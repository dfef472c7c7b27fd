/** A file of records that wait on disk: an array in JSON. What must be known of it without reading it stands in its name. */
import { open, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

import { untried, type Tried } from './calls.ts'

/** When it was begun, its page's number, how many records it has, its bytes, and their CRC-32. */
const NAME = /^(\d{15})-(\d{9,})-(\d{1,7})-(\d{1,8})-([0-9a-f]{8})\.json$/
const UNFINISHED = '.new'
const CLOSING = Buffer.from(']')

export interface SpoolFile extends Tried {
  /** Where it lies, in the spool. */
  readonly folder: string
  /** Names sort by age. */
  readonly name: string
  readonly count: number
  readonly bytes: number
  readonly crc: number
  /** The page that it was, if this process has written it. */
  readonly page: number | null
}

/** What is about to be written. @param array without its closing bracket */
export function describeFile(folder: string, page: number, count: number, array: Buffer): SpoolFile {
  const bytes = array.length + 1
  const crc = crc32(CLOSING, crc32(array))
  const name = `${padded(Date.now(), 15)}-${padded(page, 9)}-${count}-${bytes}-${padded(crc.toString(16), 8)}.json`
  return { folder, name, count, bytes, crc, page, ...untried() }
}

/** @returns null if it is not the name of such a file */
export function readName(folder: string, name: string): SpoolFile | null {
  const [, , , count, bytes, crc] = NAME.exec(name) ?? []
  if (crc === undefined) return null
  const known = { count: Number(count), bytes: Number(bytes), crc: Number.parseInt(crc, 16) }
  return { folder, name, ...known, page: null, ...untried() }
}

/** A file whose writing was not finished. */
export function unfinishedName({ name }: SpoolFile): string {
  return name + UNFINISHED
}

export function isUnfinished(name: string): boolean {
  return name.endsWith(UNFINISHED)
}

/** Writes a file, readable by its owner alone. It is on the disk when this resolves, and not under its own name yet. */
export async function writeArray(path: string, array: Buffer): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(array)
  await file.writeFile(CLOSING)
  await file.datasync()
}

/** Reads a file's array to where it belongs. @throws Error if it is not what was written */
export async function readArray(path: string, { bytes, crc }: SpoolFile, target: Buffer, at: number): Promise<void> {
  await using file = await open(path, 'r')
  const array = target.subarray(at, at + bytes)
  const read = await readFully(file, array)
  if (read < bytes) throw new Error(`it has ${read} bytes instead of ${bytes}`)
  if (crc32(array) !== crc) throw new Error('it is not what was written')
}

async function readFully(file: FileHandle, target: Buffer): Promise<number> {
  let length = 0
  while (length < target.length) {
    const { bytesRead } = await file.read(target, length, target.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return length
}

function padded(value: number | string, digits: number): string {
  return String(value).padStart(digits, '0')
}
