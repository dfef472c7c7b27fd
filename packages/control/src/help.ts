/** What the process says to a person. */
import type { Settings } from '@millrace/shared'

import type { FirstStart } from './bootstrap/first-start.ts'

export const HELP = `The control plane of Millrace: GraphQL over HTTP and WebSocket at /graphql.

Environment:
  MILLRACE_HOST               address to listen on                          127.0.0.1
  MILLRACE_CONTROL_PORT       port; 0 picks a free one                      4000
  MILLRACE_DATA_DIR           embedded database and generated keys          ./.millrace
  MILLRACE_DATABASE_URL       PostgreSQL 15 or later                        none: embedded in the data folder
  MILLRACE_MASTER_KEY         32 bytes, base64: encrypts upstream keys      generated in the data folder
  MILLRACE_ADMIN_KEY          makes this the first admin key                generated
  MILLRACE_PROXY_KEY          makes this the first key of role PROXY        generated in the data folder
  MILLRACE_ENV_ALLOW          names that env: references may read (globs)   *_API_KEY
  MILLRACE_PRIVATE_UPSTREAMS  whether providers may be at private addresses true
  MILLRACE_LOG_LEVEL          fatal, error, warn, info, debug, trace        info
`

/** The secrets that were made, which are shown this once; what the operator has set is known already. */
export function firstStartText(url: string, { adminKey, token, proxyKey }: FirstStart, settings: Settings): string {
  const adminKeyIsSet = settings.MILLRACE_ADMIN_KEY !== undefined
  const lines = [
    ...(adminKeyIsSet ? [] : [`  admin key  ${adminKey}`]),
    `  token      ${token}`,
    ...(settings.MILLRACE_PROXY_KEY === undefined ? [`  proxy key  ${proxyKey}`] : []),
  ]
  const bearer = adminKeyIsSet ? '"authorization: Bearer $MILLRACE_ADMIN_KEY"' : `'authorization: Bearer ${adminKey}'`
  return `Millrace's control plane serves at ${url}/graphql

These are shown this once (and kept in the data folder, in credentials.json and proxy.key):
${lines.join('\n')}

Try it:
  curl ${url}/graphql -H ${bearer} -H 'content-type: application/json' \\
    -d '{"query":"{ aliases { name routes { provider { name kind } } } }"}'
`
}
