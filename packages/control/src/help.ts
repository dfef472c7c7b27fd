/** What the process says to a person. */
import type { Settings } from '@millrace/shared'

import type { FirstStart } from './bootstrap/first-start.ts'

/** Meaning and default of each setting that is read here. The defaults are those of `npm start`'s help; a test holds it. */
const SETTINGS: readonly (readonly [name: keyof Settings, meaning: string, byDefault: string])[] = [
  ['MILLRACE_HOST', 'address to listen on', '127.0.0.1'],
  ['MILLRACE_CONTROL_PORT', 'port; 0 picks a free one', '4000'],
  ['MILLRACE_DATA_DIR', 'embedded database, generated keys, credentials.json', './.millrace'],
  ['MILLRACE_DATABASE_URL', 'PostgreSQL 15 or later', 'none: PostgreSQL embedded (PGlite) in the data folder'],
  ['MILLRACE_MASTER_KEY', '32 bytes in base64 that encrypt upstream keys', 'generated in the data folder'],
  ['MILLRACE_MASTER_KEY_PREVIOUS', 'the master key before, while npm run rekey re-encrypts', 'none'],
  ['MILLRACE_ADMIN_KEY', 'makes this the first admin key', 'generated'],
  [
    'MILLRACE_PROXY_KEY',
    'makes this the first key of role PROXY',
    'the one made at the first start, in the data folder',
  ],
  [
    'MILLRACE_REDIS_URL',
    'as the proxies have it: for explanations to say where bindings are kept',
    'none: each proxy keeps to its own memory',
  ],
  ['MILLRACE_TRUSTED_PROXIES', 'addresses and CIDR ranges, by comma, whose x-forwarded-for is believed', 'none'],
  ['MILLRACE_ENV_ALLOW', 'names that env: references may read (globs, by comma)', '*_API_KEY'],
  ['MILLRACE_PRIVATE_UPSTREAMS', 'whether providers may live at private addresses (link-local never)', 'true'],
  ['MILLRACE_RECORD_DAYS', 'days for which records of requests are kept', '90'],
  ['MILLRACE_DECISION_DAYS', 'days for which their routing decisions are kept', '30'],
  ['MILLRACE_DEBUG_DAYS', 'days for which exchanges of debug captures are kept at most', '7'],
  ['MILLRACE_LOG_LEVEL', "pino's: fatal, error, warn, info, debug, trace or silent", 'info'],
]

export const HELP = `The control plane of Millrace: GraphQL over HTTP and WebSocket at /graphql.

Environment:
${SETTINGS.map(([name, meaning, byDefault]) => `  ${name.padEnd(31)}${meaning}\n${' '.repeat(33)}[${byDefault}]`).join('\n')}
`

/** The secrets that were made, each shown this once; what the operator has set is known already. */
export function firstStartText(url: string, { adminKey, token, proxyKey }: FirstStart, settings: Settings): string {
  const bearer = `authorization: Bearer ${settings.MILLRACE_ADMIN_KEY === undefined ? adminKey : '$MILLRACE_ADMIN_KEY'}`
  const lines = [
    `  token      ${token}`,
    ...(settings.MILLRACE_PROXY_KEY === undefined ? [`  proxy key  ${proxyKey}`] : []),
  ]
  return `Millrace's control plane serves at ${url}/graphql

These, and the admin key, are shown this once (and kept in the data folder, in credentials.json and proxy.key):
${lines.join('\n')}

Try it, with the admin key:
  curl ${url}/graphql -H "${bearer}" -H 'content-type: application/json' \\
    -d '{"query":"{ aliases { name routes { provider { name kind } } } }"}'
`
}
