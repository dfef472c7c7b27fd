/**
 * The environment: every name that Millrace reads, its meaning, range and default, in one table.
 * Pure: files that a default points at are the reader's business.
 */
import * as z from 'zod'

import { matchesGlob } from './glob.ts'
import { IpRanges } from './ip-ranges.ts'
import { parseMasterKey } from './secret.ts'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be ${min} to ${max}`)
const port = wholeNumber(0, 65_535)
const boolean = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true')
const url = (protocols: readonly string[]) =>
  z.string().transform((value, context) => {
    const parsed = URL.canParse(value) ? new URL(value) : null
    if (parsed && protocols.includes(parsed.protocol) && parsed.hostname) return value
    context.addIssue(`must be a URL beginning with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`)
    return z.NEVER
  })

const DATABASE_NUMBER = /^(\/\d*)?$/
const redisUrl = url(['redis:', 'rediss:']).refine((value) => {
  const { username, password, pathname } = new URL(value)
  return DATABASE_NUMBER.test(pathname) && isDecodable(username) && isDecodable(password)
}, 'must be redis://[[user]:password@]host[:port][/database number], with % in the password written as %25')

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

const masterKey = z.string().transform((value, context) => {
  try {
    return parseMasterKey(value)
  } catch (error) {
    context.addIssue((error as Error).message)
    return z.NEVER
  }
})

const ranges = z.string().transform((value, context) => {
  const texts = value.split(',').map((text) => text.trim())
  try {
    return new IpRanges(texts.filter(Boolean))
  } catch {
    context.addIssue('must be addresses or CIDR ranges, separated by commas')
    return z.NEVER
  }
})

const accessKey = z
  .string()
  .min(32, 'must have at least 32 characters')
  .max(200, 'must have at most 200 characters')
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')

const table = {
  MILLRACE_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, 'must be an address or a host name')
    .default('127.0.0.1'),
  MILLRACE_CONTROL_PORT: port.default(4000),
  MILLRACE_PROXY_PORT: port.default(8080),
  MILLRACE_DATA_DIR: z.string().min(1, 'must be a folder').default('./.millrace'),
  MILLRACE_DATABASE_URL: url(['postgres:', 'postgresql:']).optional(),
  MILLRACE_REDIS_URL: redisUrl.optional(),
  MILLRACE_CONTROL_URL: url(['http:', 'https:', 'ws:', 'wss:']).default('http://127.0.0.1:4000'),
  MILLRACE_PROXY_KEY: accessKey.optional(),
  MILLRACE_MASTER_KEY: masterKey.optional(),
  MILLRACE_MASTER_KEY_PREVIOUS: masterKey.optional(),
  MILLRACE_ADMIN_KEY: accessKey.optional(),
  MILLRACE_WORKERS: wholeNumber(1, 64).default(1),
  MILLRACE_MAX_BODY_BYTES: wholeNumber(1_024, 1_073_741_824).default(10_485_760),
  MILLRACE_CACHE_BYTES: wholeNumber(0, 1_099_511_627_776).default(67_108_864),
  MILLRACE_SPOOL_BYTES: wholeNumber(0, 1_099_511_627_776).default(1_073_741_824),
  MILLRACE_RECORD_DAYS: wholeNumber(1, 36_500).default(90),
  MILLRACE_DECISION_DAYS: wholeNumber(1, 36_500).default(30),
  MILLRACE_DEBUG_DAYS: wholeNumber(1, 36_500).default(7),
  MILLRACE_DRAIN_SECONDS: wholeNumber(0, 86_400).default(30),
  MILLRACE_TRUSTED_PROXIES: ranges.optional(),
  MILLRACE_ENV_ALLOW: z
    .string()
    .default('*_API_KEY')
    .transform((value) =>
      value
        .split(',')
        .map((glob) => glob.trim())
        .filter(Boolean),
    ),
  MILLRACE_PRIVATE_UPSTREAMS: boolean.default(true),
  MILLRACE_MAX_STALE_SECONDS: wholeNumber(1, 31_536_000).optional(),
  MILLRACE_LIMITS_WITHOUT_REDIS: z.enum(['local', 'refuse'], 'must be local or refuse').default('local'),
  MILLRACE_REVOKED_STREAMS: z.enum(['finish', 'cut'], 'must be finish or cut').default('finish'),
  MILLRACE_LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['http:', 'https:']).optional(),
} as const

type Table = { [Name in keyof typeof table]: z.output<(typeof table)[Name]> }

/** The environment, read. A name that is absent here was not set and has no default. */
export type Settings = Readonly<Table>

/** A setting that cannot be used. The message names the variable and what is wrong, never a secret's value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly variable: string
  constructor(variable: string, reason: string) {
    super(`${variable}: ${reason}`)
    this.variable = variable
  }
}

/**
 * Reads the environment. An empty value counts as unset, as in a shell's `VAR= command`.
 * @throws SettingsError for a value that cannot be used, and for an unknown MILLRACE_ name (a misspelt one would do nothing)
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  for (const name of Object.keys(env)) {
    if (name.startsWith('MILLRACE_') && !(name in table) && !name.startsWith('MILLRACE_TEST_')) {
      throw new SettingsError(name, 'is not a setting of this version (see the README for the list)')
    }
  }
  const settings: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(table)) {
    const result = schema.safeParse(env[name] === '' ? undefined : env[name])
    if (!result.success) throw new SettingsError(name, result.error.issues[0]!.message)
    settings[name] = result.data
  }
  checkControlUrl(settings as Settings)
  return settings as Settings
}

/** Upstream keys travel on it: not in the clear, unless they don't leave this machine. */
function checkControlUrl({ MILLRACE_CONTROL_URL, MILLRACE_HOST }: Settings): void {
  const { protocol, hostname } = new URL(MILLRACE_CONTROL_URL)
  if (
    protocol === 'https:' ||
    protocol === 'wss:' ||
    LOOPBACK.test(hostname) ||
    [MILLRACE_HOST, `[${MILLRACE_HOST}]`].includes(hostname)
  )
    return
  throw new SettingsError(
    'MILLRACE_CONTROL_URL',
    'must be https:// or wss:// unless it is an address of this machine (loopback, or MILLRACE_HOST)',
  )
}

/** The names of all settings, for the README's test. */
export const SETTING_NAMES = Object.keys(table)

/** Whether an `env:` reference may read this variable. Never one of Millrace's own: those hold its keys. */
export function envReferenceAllowed(name: string, globs: readonly string[]): boolean {
  return !name.startsWith('MILLRACE_') && globs.some((glob) => matchesGlob(glob, name))
}
