/** Where a request comes from: the socket says, or proxies that are trusted to say so for it. */
import { parseIp, type IpKey } from './ip-address.ts'
import type { IpRanges } from './ip-ranges.ts'

/** As proxies write an address: `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`. */
const WITH_PORT = /^(?:([\d.]+):\d{1,5}|\[([^\]]+)\](?::\d{1,5})?)$/

/**
 * Walks from the socket back through the hops that `x-forwarded-for` names, the nearest last, as long as they are
 * trusted. What an untrusted hop says of those before it is not looked at: a client can write there what it likes. An
 * entry that is no address ends the walk: the hop that wrote it is then all that is known.
 * @param socketAddress undefined if the socket has closed
 * @returns null if nothing is known
 */
export function clientIp(
  socketAddress: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  trusted: IpRanges | undefined,
): IpKey | null {
  const [socket = ''] = (socketAddress ?? '').split('%')
  let client = parseIp(socket)
  if (client === null || trusted === undefined || forwardedFor === undefined) return client
  const hops = typeof forwardedFor === 'string' ? forwardedFor : forwardedFor.join(',')
  for (let end = hops.length; end >= 0 && trusted.has(client);) {
    const comma = hops.lastIndexOf(',', end - 1)
    const hop = end === 0 ? null : parseHop(hops.slice(comma + 1, end).trim())
    if (hop === null) break
    client = hop
    end = comma
  }
  return client
}

function parseHop(text: string): IpKey | null {
  const [, v4, v6] = WITH_PORT.exec(text) ?? []
  return parseIp(v4 ?? v6 ?? text)
}
