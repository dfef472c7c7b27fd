/** What `npm start -- --help` says. */
import type { Settings } from '@millrace/shared'

/** Meaning and default of each setting, as the README's table has them too. */
export const SETTINGS_HELP: Readonly<Record<keyof Settings, readonly [meaning: string, byDefault: string]>> = {
  MILLRACE_HOST: ['address that both listen on', '127.0.0.1'],
  MILLRACE_CONTROL_PORT: ["the control plane's port; 0 picks a free one", '4000'],
  MILLRACE_PROXY_PORT: ["the proxy's port; 0 picks a free one", '8080'],
  MILLRACE_DATA_DIR: ['embedded database, generated keys, credentials.json, the last configuration', './.millrace'],
  MILLRACE_DATABASE_URL: ['PostgreSQL 15 or later', 'none: PostgreSQL embedded (PGlite) in the data folder'],
  MILLRACE_REDIS_URL: ['Redis 7 or Valkey, shared by all proxies', 'none: each proxy keeps to its own memory'],
  MILLRACE_CONTROL_URL: ['where a proxy that runs alone finds its control plane', 'http://127.0.0.1:4000'],
  MILLRACE_PROXY_KEY: ['the PROXY-role key that a proxy uses', 'the one made at the first start, in the data folder'],
  MILLRACE_MASTER_KEY: ['32 bytes in base64 that encrypt upstream keys', 'generated in the data folder'],
  MILLRACE_ADMIN_KEY: ['makes this the first admin key', 'generated'],
  MILLRACE_MAX_BODY_BYTES: [
    'of a JSON request; also how much of an unstreamed answer is held to read its usage',
    '10485760',
  ],
  MILLRACE_DRAIN_SECONDS: ['how long streams may finish after SIGTERM', '30'],
  MILLRACE_ENV_ALLOW: ['names that env: references may read (globs, by comma; never MILLRACE_*)', '*_API_KEY'],
  MILLRACE_PRIVATE_UPSTREAMS: ['whether providers may live at private addresses (link-local never)', 'true'],
  MILLRACE_MAX_STALE_SECONDS: ['how long a proxy serves without its control plane', 'no end'],
  MILLRACE_LOG_LEVEL: ["pino's: fatal, error, warn, info, debug, trace or silent", 'info'],
}

export function help(): string {
  const rows = Object.entries(SETTINGS_HELP).map(
    ([name, [meaning, byDefault]]) => `  ${name.padEnd(28)}${meaning}\n${' '.repeat(30)}[${byDefault}]`,
  )
  return `Usage: npm start

Runs Millrace on one machine: the control plane and a proxy, until SIGINT or SIGTERM.
The first start on an empty data folder makes an admin key, a token and an alias "demo" that answers without a
provider, and prints a line to try it. "npm run control" and "npm run proxy" run one of the two alone.

Environment:
${rows.join('\n')}
`
}
