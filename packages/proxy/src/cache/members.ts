/** The members of the JSON objects that a scan is in, and their order by name. */
import { skipString, utf8FromLatin1 } from '../stream/json.ts'
import { grown, type Pieces } from './pieces.ts'

const QUOTE = 0x22
/** Of each byte: ASCII's capitals as small letters. */
const SMALL = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte))

const FIELDS = 3
const NAME = 0
const HEAD = 1
const TAIL = 2
/** Up to so many are sorted by insertion, which is the fastest for few. */
const FEW = 16
/** Room for so many is kept from one text to the next. */
const KEPT = 1_024

export class Members {
  count = 0
  private table = new Int32Array(KEPT * FIELDS)
  private readonly few = new Int32Array(FEW)
  private readonly pieces: Pieces

  constructor(pieces: Pieces) {
    this.pieces = pieces
  }

  clear(): void {
    this.count = 0
    if (this.table.length > KEPT * FIELDS) this.table = new Int32Array(KEPT * FIELDS)
  }

  /** @param name where it begins, at its quote */
  begin(name: number): void {
    const at = this.count++ * FIELDS
    if (at === this.table.length) this.table = grown(this.table)
    this.table[at] = name
    this.table[at + HEAD] = this.pieces.count
  }

  /** The last that was begun is complete. */
  end(): void {
    this.table[(this.count - 1) * FIELDS + TAIL] = this.pieces.count - 1
  }

  /** The name of the last that was begun. */
  get last(): number {
    return this.table[(this.count - 1) * FIELDS + NAME]!
  }

  /**
   * Chains an object's members in the order of their names, and after them what comes next.
   * @param base its first
   * @param open the piece before it
   * @param comma where the text has one
   * @param spelt whether a name may have escapes, a Kelvin sign or a long s
   * @param omit names of members to leave out
   */
  chain(
    text: string,
    bytes: Buffer,
    base: number,
    open: number,
    comma: number,
    spelt: boolean,
    omit: ReadonlySet<string> | null,
  ): void {
    const { table, pieces } = this
    const order = spelt
      ? this.sortedByMeaning(text, base, omit)
      : this.count - base > FEW
        ? this.sortedMany(text, bytes, base, omit)
        : this.few
    const length = order === this.few ? this.sortFew(text, bytes, base, omit) : order.length
    let last = open
    for (let i = 0; i < length; i++) {
      const at = order[i]! * FIELDS
      const name = table[at]!
      const head = table[at + HEAD]!
      // Its first piece begins with the comma before it, if that comes right before it.
      if (i === 0) {
        pieces.startAt(head, name)
      } else if (pieces.startOf(head) === name) {
        pieces.follow(last, pieces.count)
        last = pieces.count
        pieces.add(comma, comma + 1)
      }
      pieces.follow(last, head)
      last = table[at + TAIL]!
    }
    pieces.follow(last, pieces.count)
  }

  /** @returns how many there are in {@link few} */
  private sortFew(text: string, bytes: Buffer, base: number, omit: ReadonlySet<string> | null): number {
    const { table, few, count } = this
    let length = 0
    for (let member = base; member < count; member++) {
      const name = table[member * FIELDS]!
      if (omit !== null && omit.has(text.slice(name + 1, text.indexOf('"', name + 1)))) continue
      let i = length++
      for (; i > 0 && compareNames(bytes, table[few[i - 1]! * FIELDS]!, name) > 0; i--) few[i] = few[i - 1]!
      few[i] = member
    }
    return length
  }

  private sortedMany(text: string, bytes: Buffer, base: number, omit: ReadonlySet<string> | null): number[] {
    const { table } = this
    const order: number[] = []
    for (let member = base; member < this.count; member++) {
      const name = table[member * FIELDS]!
      if (omit === null || !omit.has(text.slice(name + 1, text.indexOf('"', name + 1)))) order.push(member)
    }
    return order.sort((a, b) => compareNames(bytes, table[a * FIELDS]!, table[b * FIELDS]!))
  }

  private sortedByMeaning(text: string, base: number, omit: ReadonlySet<string> | null): number[] {
    const names: string[] = []
    const order: number[] = []
    for (let member = base; member < this.count; member++) {
      const name = memberName(text, this.table[member * FIELDS]!)
      // With its quote, in the order of compareNames: which of the two sorts must not matter.
      names.push(`${withoutCase(name)}"`)
      if (omit === null || !omit.has(name)) order.push(member)
    }
    return order.sort((a, b) => compareTexts(names[a - base]!, names[b - base]!))
  }
}

/**
 * The order of two names without escapes. Those that differ only in the case of ASCII letters have none, and stay as they
 * are: there are providers that take one for the other (Go's encoding/json does), and then it counts which comes last. To
 * them the Kelvin sign is a k, and the long s an s: {@link withoutCase}.
 * @param a where one begins, at its quote
 */
export function compareNames(bytes: Buffer, a: number, b: number): number {
  for (let i = 1; ; i++) {
    const x = SMALL[bytes[a + i]!]!
    const y = SMALL[bytes[b + i]!]!
    if (x !== y) return x - y
    if (x === QUOTE) return 0
  }
}

/** The same for names that some parser may take for one another; a lone surrogate is U+FFFD to many. */
function withoutCase(name: string): string {
  return name.toWellFormed().replace(/[A-Z\u017f\u212a]/g, toSmall)
}

function toSmall(letter: string): string {
  return letter.toUpperCase().toLowerCase()
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A name as it is meant: `"us\u0065r"` is `user`. */
function memberName(text: string, start: number): string {
  return JSON.parse(utf8FromLatin1(text.slice(start, skipString(text, start)))) as string
}
