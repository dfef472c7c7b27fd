/** Which addresses upstream requests may go to: a provider's URL must not lead into the machine's own surroundings. */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'

/** RFC 3927 and RFC 4291: where clouds keep their metadata services. Never an upstream. */
const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
linkLocal.addSubnet('fe80::', 10, 'ipv6')

/** RFC 1918, 4193, 6598, loopback and "this host". */
const privateUse = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  privateUse.addSubnet(net, prefix, 'ipv4')
}
privateUse.addAddress('::', 'ipv6')
privateUse.addAddress('::1', 'ipv6')
privateUse.addSubnet('fc00::', 7, 'ipv6')

/** An address that a provider may not live at. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED'
}

/**
 * Checks an IP address.
 * @throws AddressRefused where requests may not go to it
 */
export function checkAddress(address: string, privateAllowed: boolean): void {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (linkLocal.check(address, family)) throw new AddressRefused(`link-local address ${address} refused`)
  if (!privateAllowed && privateUse.check(address, family)) {
    throw new AddressRefused(`private address ${address} refused (MILLRACE_PRIVATE_UPSTREAMS)`)
  }
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/** A `lookup` for sockets that checks what a name resolves to at the time of connecting, so that no later DNS answer gets round it. */
export function guardedLookup(privateAllowed: boolean) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    systemLookup(
      hostname,
      options,
      (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => {
        if (error) return callback(error, address, family)
        try {
          for (const found of typeof address === 'string' ? [address] : address.map((each) => each.address)) {
            checkAddress(found, privateAllowed)
          }
        } catch (refused) {
          return callback(refused as Error, address, family)
        }
        callback(null, address, family)
      },
    )
  }
}
