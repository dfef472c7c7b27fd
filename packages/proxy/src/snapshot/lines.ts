/** Files of lines, read without being held in memory. */
import { open, type FileHandle } from 'node:fs/promises'

const NEWLINE = 0x0a
const CHUNK_BYTES = 262_144

/** The lines of a file, without what ends them; what has no end is none. */
export async function* linesOf(file: FileHandle): AsyncGenerator<Buffer, void> {
  let begun: Buffer[] = []
  for await (const chunk of chunksOf(file, Infinity)) {
    let from = 0
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, to)])
      begun = []
      from = to + 1
    }
    begun.push(chunk.subarray(from))
  }
}

/** Copies so many bytes into a new file, which is its owner's alone. */
export async function copyStart(from: FileHandle, to: string, bytes: number): Promise<void> {
  const copy = await open(to, 'wx', 0o600)
  try {
    for await (const chunk of chunksOf(from, bytes)) await copy.appendFile(chunk)
  } finally {
    await copy.close()
  }
}

/** What a file begins with. Not by a stream of the handle: one that is not read to its end spoils it for the next. */
async function* chunksOf(file: FileHandle, bytes: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes;) {
    const length = Math.min(CHUNK_BYTES, bytes - at)
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
