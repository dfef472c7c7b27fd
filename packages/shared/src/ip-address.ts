/** IPv4 and IPv6 addresses (RFC 4291), each with one key however it was spelt: keys sort as addresses do, the families apart. */

/** `4` and 8 hex digits, or `6` and 32. IPv4 that is mapped into IPv6 (`::ffff:192.0.2.1`) is IPv4. */
export type IpKey = string

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/
const GROUP = /^[0-9a-f]{1,4}$/
const MAPPED = '600000000000000000000ffff'
const LONGEST_TEXT = 64

/** @returns null if the text is no address */
export function parseIp(text: string): IpKey | null {
  if (text.length > LONGEST_TEXT) return null
  if (IPV4.test(text)) return `4${hexOfV4(text)}`
  const hex = hexOfV6(text.toLowerCase())
  if (hex === null) return null
  return hex.startsWith(MAPPED.slice(1)) ? `4${hex.slice(24)}` : `6${hex}`
}

/** An address as people and RFC 5952 write it. */
export function ipText(key: IpKey): string {
  if (key.startsWith('4'))
    return Array.from({ length: 4 }, (_, i) => parseInt(key.slice(1 + 2 * i, 3 + 2 * i), 16)).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => key.slice(1 + 4 * i, 5 + 4 * i))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** What one subscriber has of addresses: an IPv4 address, or an IPv6 network of 64 bits. */
export function networkOf(key: IpKey): string {
  return key.startsWith('4') ? key : key.slice(0, 17)
}

function hexOfV4(text: string): string {
  return text
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')
}

/** @param text in lower case @returns 32 digits; null if it is none */
function hexOfV6(text: string): string | null {
  const [head, tail, ...more] = text.split('::')
  if (more.length > 0) return null
  const before = groupsOf(head!, tail === undefined)
  const after = tail === undefined ? [] : groupsOf(tail, true)
  if (before === null || after === null) return null
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  return [...before, ...Array<string>(missing).fill('0000'), ...after].join('')
}

/** @param last whether the address ends with them, and so may end in IPv4's spelling */
function groupsOf(text: string, last: boolean): string[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const dotted = last && IPV4.test(parts.at(-1)!) ? hexOfV4(parts.pop()!) : null
  if (!parts.every((part) => GROUP.test(part))) return null
  const groups = parts.map((part) => part.padStart(4, '0'))
  return dotted === null ? groups : [...groups, dotted.slice(0, 4), dotted.slice(4)]
}
