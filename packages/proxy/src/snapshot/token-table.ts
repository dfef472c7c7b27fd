/**
 * All tokens, by the public ids of their secrets and by their own ids. There may be a hundred thousand: they lie here in
 * columns, at some 200 bytes each, and each is put together when it is asked for.
 */
import type { CompiledToken } from './compiled.ts'
import { RowIndex } from './row-index.ts'
import { SpecialTerms, type Special } from './special-terms.ts'

/** A secret that leads to a token. */
export interface TokenSecret {
  /** By which it is found: the 12 characters after `sk-mr-`. Another text may stand here; it is found by nobody. */
  readonly publicId: string
  /** SHA-256, a character a byte. */
  readonly digest: string
  /** When it ceases to be good, in milliseconds since the epoch; null: with its token. */
  readonly until: number | null
}

export interface TokenWithSecrets {
  readonly token: CompiledToken
  /** At least one; several while one takes another's place. */
  readonly secrets: readonly TokenSecret[]
}

/** A secret that was found. Its digest is still to be compared. */
export interface FoundSecret extends Pick<TokenSecret, 'digest' | 'until'> {
  /** Of its token; see {@link TokenTable.at}. */
  readonly row: number
}

const PUBLIC_ID = /^[0-9A-Za-z]{12}$/
/** Stands where a secret has none of that form. */
const NO_PUBLIC_ID = ' '.repeat(12)
/** Where what begins and ends in a row's bytes: the token's id, its first secret's public id, and the digest of that. */
const ID_END = 16
const PUBLIC_ID_END = ID_END + 12
const DIGEST_END = PUBLIC_ID_END + 32

export class TokenTable {
  private byId = new RowIndex(0, ID_END)
  /** First secrets. */
  private byPublicId = new RowIndex(ID_END, PUBLIC_ID_END - ID_END)
  /** The other secrets by their public ids, and these by row. */
  private others = new Map<string, FoundSecret>()
  private othersOf = new Map<number, readonly string[]>()
  /** A character a byte. */
  private bytes: string[] = []
  private names: string[] = []
  private projectIds: string[] = []
  private specials: (Special | null)[] = []
  private revoked: boolean[] = []
  /** When tokens expire, and when their first secrets cease to be good. Infinity: never. */
  private expiry: number[] = []
  private until: number[] = []
  private free: number[] = []
  private readonly terms = new SpecialTerms()

  get size(): number {
    return this.byId.size
  }

  /** The secret with that public id, of 12 characters. */
  find(publicId: string): FoundSecret | undefined {
    const row = this.byPublicId.find(this.bytes, publicId)
    if (row === -1) return this.others.get(publicId)
    return { digest: this.bytes[row]!.slice(PUBLIC_ID_END, DIGEST_END), until: finite(this.until[row]!), row }
  }

  /** The token in a row that was just found. */
  at(row: number): CompiledToken {
    const id = idText(this.bytes[row]!)
    const special = this.specials[row]!
    return {
      id,
      name: this.names[row]!,
      projectId: this.projectIds[row]!,
      revoked: this.revoked[row]!,
      expiresAt: finite(this.expiry[row]!),
      limited: special === null ? null : this.terms.limitedOf(id, special),
      access: special === null ? null : special.access,
    }
  }

  /** Undefined if there is none of that id any more. */
  tokenOf(id: string): CompiledToken | undefined {
    const row = this.byId.find(this.bytes, idBytes(id))
    return row === -1 ? undefined : this.at(row)
  }

  /** Puts a token in the place of what there was of its id. */
  set({ token, secrets }: TokenWithSecrets): void {
    this.delete(token.id)
    const row = this.free.pop() ?? this.bytes.length
    const first = secrets[0]!
    const id = idBytes(token.id)
    const isFound = PUBLIC_ID.test(first.publicId) && this.byPublicId.find(this.bytes, first.publicId) === -1
    const publicId = isFound ? first.publicId : NO_PUBLIC_ID
    this.bytes[row] = rowBytes(id, publicId, first.digest)
    this.names[row] = token.name
    this.projectIds[row] = token.projectId
    this.specials[row] = this.terms.of(token)
    this.revoked[row] = token.revoked
    this.expiry[row] = token.expiresAt ?? Infinity
    this.until[row] = first.until ?? Infinity
    this.byId.add(this.bytes, row, id)
    if (isFound) this.byPublicId.add(this.bytes, row, publicId)
    this.setOthers(row, isFound ? secrets.slice(1) : secrets)
  }

  delete(id: string): void {
    const row = this.byId.find(this.bytes, idBytes(id))
    if (row === -1) return
    const bytes = this.bytes[row]!
    this.byId.remove(this.bytes, row, bytes.slice(0, ID_END))
    this.byPublicId.remove(this.bytes, row, bytes.slice(ID_END, PUBLIC_ID_END))
    for (const publicId of this.othersOf.get(row) ?? [])
      if (this.others.get(publicId)?.row === row) this.others.delete(publicId)
    this.othersOf.delete(row)
    this.specials[row] = null
    this.free.push(row)
  }

  /** A copy, made in steps. */
  *copyInSteps(): Generator<void, TokenTable> {
    const copy = new TokenTable()
    copy.byId = this.byId.copy()
    copy.byPublicId = this.byPublicId.copy()
    yield
    copy.others = new Map(this.others)
    copy.othersOf = new Map(this.othersOf)
    yield
    copy.bytes = this.bytes.slice()
    copy.names = this.names.slice()
    copy.projectIds = this.projectIds.slice()
    copy.specials = this.specials.slice()
    yield
    copy.revoked = this.revoked.slice()
    copy.expiry = this.expiry.slice()
    copy.until = this.until.slice()
    copy.free = this.free.slice()
    return copy
  }

  private setOthers(row: number, secrets: readonly TokenSecret[]): void {
    if (secrets.length === 0) return
    this.othersOf.set(
      row,
      secrets.map(({ publicId }) => publicId),
    )
    for (const { publicId, digest, until } of secrets) this.others.set(publicId, { digest, until, row })
  }
}

const rowBuffer = Buffer.alloc(DIGEST_END)

function rowBytes(id: string, publicId: string, digest: string): string {
  rowBuffer.write(id, 0, 'latin1')
  rowBuffer.write(publicId, ID_END, 'latin1')
  rowBuffer.write(digest, PUBLIC_ID_END, 'latin1')
  return rowBuffer.toString('latin1')
}

/** A UUID's bytes, a character each. */
function idBytes(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('latin1')
}

const HEX = Buffer.from('0123456789abcdef')
/** Where the digits of each byte stand in a UUID's text. */
const DIGITS_AT = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const idBuffer = Buffer.alloc(36, '-')

/** One flat string: one that was put together of parts sends the record that it stands in down `JSON.stringify`'s slow path. */
function idText(bytes: string): string {
  for (let i = 0; i < ID_END; i++) {
    const byte = bytes.charCodeAt(i)
    const at = DIGITS_AT[i]!
    idBuffer[at] = HEX[byte >> 4]!
    idBuffer[at + 1] = HEX[byte & 15]!
  }
  return idBuffer.toString('latin1')
}

function finite(time: number): number | null {
  return time === Infinity ? null : time
}
