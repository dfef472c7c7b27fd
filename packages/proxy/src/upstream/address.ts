/** Which addresses upstream requests may go to: a provider's URL must not lead into the machine's own surroundings. */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'

import { LINK_LOCAL_RANGES, PRIVATE_RANGES } from '@millrace/shared'

const linkLocal = blockList(LINK_LOCAL_RANGES)
const privateUse = blockList(PRIVATE_RANGES)

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [net, prefix] = range.split('/') as [string, string]
    list.addSubnet(net, Number(prefix), isIP(net) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

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
