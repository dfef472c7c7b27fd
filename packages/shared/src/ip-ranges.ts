import { parseIp, type IpKey } from './ip-address.ts'

interface Range {
  readonly first: IpKey
  readonly last: IpKey
}

/** Addresses and CIDR ranges, IPv4 and IPv6; asking costs the logarithm of how many there are. */
export class IpRanges {
  /** In order, and apart from each other. */
  readonly #ranges: readonly Range[]

  /** @throws RangeError for a text that is neither an address nor a CIDR range */
  constructor(texts: readonly string[]) {
    this.#ranges = merged(texts.map(rangeOf))
  }

  has(address: IpKey): boolean {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { first, last } = this.#ranges[middle]!
      if (address < first) high = middle
      else if (address > last) low = middle + 1
      else return true
    }
    return false
  }
}

export function isIpRange(text: string): boolean {
  try {
    rangeOf(text)
    return true
  } catch {
    return false
  }
}

function rangeOf(text: string): Range {
  const [address = '', bits, ...more] = text.split('/')
  const key = parseIp(address)
  const spelt = address.includes(':') ? 128 : 32
  const given = bits === undefined ? spelt : /^(0|[1-9]\d{0,2})$/.test(bits) ? Number(bits) : NaN
  if (key === null || more.length > 0 || !(given <= spelt)) throw new RangeError('not an address or a CIDR range')
  const width = 4 * (key.length - 1)
  // ::ffff:192.0.2.0/120 is 192.0.2.0/24.
  const prefix = given - (spelt - width)
  if (prefix < 0) throw new RangeError('a range of IPv4 in IPv6 has at least 96 bits')
  const value = BigInt(`0x${key.slice(1)}`)
  const rest = (1n << BigInt(width - prefix)) - 1n
  const keyOf = (at: bigint): IpKey => key[0]! + at.toString(16).padStart(key.length - 1, '0')
  return { first: keyOf(value & ~rest), last: keyOf(value | rest) }
}

function merged(ranges: readonly Range[]): Range[] {
  const found: Range[] = []
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const before = found.at(-1)
    if (before === undefined || range.first > before.last) found.push(range)
    else if (range.last > before.last) found[found.length - 1] = { first: before.first, last: range.last }
  }
  return found
}

/** This machine, as it reaches itself. */
const LOOPBACK = new IpRanges(['127.0.0.0/8', '::1'])

/** Whether somebody comes from this machine; null: nobody knows where from. */
export function isLoopback(address: IpKey | null): boolean {
  return address !== null && LOOPBACK.has(address)
}
