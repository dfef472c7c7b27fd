/** Names and ids that come from anywhere, as Converse takes them. */
import { hash } from 'node:crypto'

const ALLOWED = /^[a-zA-Z0-9_-]{1,64}$/

/** The id of a tool call. The same gives the same, and another another. */
export function writeToolId(id: string): string {
  return ALLOWED.test(id) ? id : hashed(id)
}

/** A tool's name. See {@link changedNames} for the way back. */
export function writeToolName(name: string): string {
  return ALLOWED.test(name) ? name : hashed(name)
}

/** Of names that had to be changed, as they were. @returns null: none had to be */
export function changedNames(names: readonly string[]): ReadonlyMap<string, string> | null {
  const changed = names.filter((name) => !ALLOWED.test(name))
  return changed.length === 0 ? null : new Map(changed.map((name) => [writeToolName(name), name]))
}

function hashed(text: string): string {
  const readable = text.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 40)
  return `${readable}_${hash('sha256', text, 'base64url').slice(0, 16)}`
}

const NO_NAME_CHARACTER = /[^a-zA-Z0-9()[\]-]+/g
const LONGEST_DOCUMENT_NAME = 200

/** Names documents: each by another name, of the few characters that Converse allows, without its extension. */
export class DocumentNames {
  private readonly taken = new Set<string>()
  /** The number that the next of a name may have. */
  private readonly next = new Map<string, number>()

  nameOf(filename: string | undefined): string {
    const bare = (filename ?? '').replace(/^.*[\\/]/, '').replace(/\.[a-zA-Z0-9]{1,5}$/, '')
    const wanted = bare.replace(NO_NAME_CHARACTER, ' ').trim().slice(0, LONGEST_DOCUMENT_NAME).trim() || 'document'
    let name = wanted
    let number = this.next.get(wanted) ?? 2
    while (this.taken.has(name)) name = `${wanted} (${number++})`
    this.next.set(wanted, number)
    this.taken.add(name)
    return name
  }
}
