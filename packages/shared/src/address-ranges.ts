/** Addresses at which a provider is not expected, as CIDR: both planes check them, control what is written, the proxy what is resolved. */

/** RFC 3927 and RFC 4291: where clouds keep their metadata services. Never an upstream. */
export const LINK_LOCAL_RANGES: readonly string[] = ['169.254.0.0/16', 'fe80::/10']

/** RFC 1918, 4193, 6598, loopback and "this host". */
export const PRIVATE_RANGES: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
]
