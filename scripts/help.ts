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
  MILLRACE_MASTER_KEY_PREVIOUS: ['the master key before, while npm run rekey re-encrypts', 'none'],
  MILLRACE_ADMIN_KEY: ['makes this the first admin key', 'generated'],
  MILLRACE_WORKERS: ['proxy processes on one port, 1 to 64; together they are one proxy', '1'],
  MILLRACE_MAX_BODY_BYTES: [
    'of a JSON request; also how much of an unstreamed answer is held to read its usage',
    '10485760',
  ],
  MILLRACE_CACHE_BYTES: ['memory for stored answers, of all workers together; 0: none is used', '67108864'],
  MILLRACE_SPOOL_BYTES: [
    'disk for records that wait while the control plane is away, of each process; 0: none is used',
    '1073741824',
  ],
  MILLRACE_RECORD_DAYS: ['days for which records of requests are kept', '90'],
  MILLRACE_DECISION_DAYS: ['days for which their routing decisions are kept', '30'],
  MILLRACE_DEBUG_DAYS: ['days for which exchanges of debug captures are kept at most', '7'],
  MILLRACE_DRAIN_SECONDS: ['how long streams may finish after SIGTERM', '30'],
  MILLRACE_TRUSTED_PROXIES: ['addresses and CIDR ranges, by comma, whose x-forwarded-for is believed', 'none'],
  MILLRACE_ENV_ALLOW: ['names that env: references may read (globs, by comma; never MILLRACE_*)', '*_API_KEY'],
  MILLRACE_PRIVATE_UPSTREAMS: ['whether providers may live at private addresses (link-local never)', 'true'],
  MILLRACE_MAX_STALE_SECONDS: ['how long a proxy serves without its control plane', 'no end'],
  MILLRACE_LIMITS_WITHOUT_REDIS: [
    'local or refuse: what becomes of requests that have limits while Redis is set and away',
    'local',
  ],
  MILLRACE_REVOKED_STREAMS: [
    'finish or cut: whether the running requests of a token that is revoked, or has expired, go on',
    'finish',
  ],
  MILLRACE_LOG_LEVEL: ["pino's: fatal, error, warn, info, debug, trace or silent", 'info'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['turns on OpenTelemetry traces: where they are sent, by OTLP over HTTP', 'none'],
}

export function help(): string {
  const rows = Object.entries(SETTINGS_HELP).map(
    ([name, [meaning, byDefault]]) => `  ${name.padEnd(31)}${meaning}\n${' '.repeat(33)}[${byDefault}]`,
  )
  return `Usage: npm start

Runs Millrace on one machine: the control plane and a proxy, until SIGINT or SIGTERM.
The first start on an empty data folder makes an admin key, a token and an alias "demo" that answers without a
provider, and prints a line to try it. "npm run control" and "npm run proxy" run one of the two alone.

Environment:
${rows.join('\n')}
`
}
