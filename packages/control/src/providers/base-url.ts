/** Which addresses a provider may live at. */
import { BlockList, isIPv4 } from 'node:net'

import { LINK_LOCAL_RANGES, PRIVATE_RANGES } from '@millrace/shared'

const linkLocal = blockList(LINK_LOCAL_RANGES)
const privateRanges = blockList(PRIVATE_RANGES)

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [net, prefix] = range.split('/') as [string, string]
    list.addSubnet(net, Number(prefix), isIPv4(net) ? 'ipv4' : 'ipv6')
  }
  return list
}

/** A base URL in its one spelling, without a slash at its end; or why it cannot be one. */
export type BaseUrlResult = { readonly baseUrl: string } | { readonly fault: string }

/**
 * Checks what can be checked of a URL by reading it; what its name resolves to is for the proxy to check when it connects.
 * @param privateAllowed whether it may be an address that is not on the public internet; a link-local one never may
 */
export function readBaseUrl(value: string, privateAllowed: boolean): BaseUrlResult {
  const url = URL.canParse(value) ? new URL(value) : null
  if (!url || !/^https?:$/.test(url.protocol) || !url.hostname)
    return { fault: 'must be a URL beginning with http:// or https://' }
  if (url.username || url.password) return { fault: 'must not hold a user or a password' }
  if (url.search || url.hash || /[?#]/.test(value)) return { fault: 'must not have a query or a fragment' }
  if (isWithin(linkLocal, url.hostname)) return { fault: 'must not be a link-local address' }
  if (!privateAllowed && isPrivate(url.hostname))
    return { fault: 'must not be a private address (MILLRACE_PRIVATE_UPSTREAMS)' }
  return { baseUrl: url.href.replace(/\/+$/, '') }
}

function isPrivate(hostname: string): boolean {
  return /(^|\.)localhost\.?$/.test(hostname) || isWithin(privateRanges, hostname)
}

/** A URL's host is normalised already: 0x7f.1 is 127.0.0.1, and IPv6 stands in brackets. */
function isWithin(list: BlockList, hostname: string): boolean {
  if (isIPv4(hostname)) return list.check(hostname, 'ipv4')
  return hostname.startsWith('[') && list.check(hostname.slice(1, -1), 'ipv6')
}
