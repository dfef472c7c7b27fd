/** What the database's own errors mean (SQLSTATE: PostgreSQL's manual, appendix A). */

const DUPLICATES: Readonly<Record<string, string>> = {
  provider_name_unique: 'there is a provider of this name already',
  project_name_unique: 'there is a project of this name already',
  alias_name_unique: 'there is an alias of this name already',
  provider_credential_unique: 'the provider has this key already',
  admin_key_digest_unique: 'there is an admin key of this secret already',
  token_digest_unique: 'there is a token of this secret already',
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
/** Connection exceptions; too many connections; shut down, starting, or the statement took too long. */
const UNAVAILABLE_STATES = /^(08...|53300|57014|57P0[1-5]|25P03)$/
/** Query canceled: `statement_timeout` has passed. */
const QUERY_CANCELED_STATE = '57014'
/** Lock not available: `lock_timeout` has passed. */
const LOCK_TIMEOUT_STATE = '55P03'
/** The pool's and the driver's own errors have no code. */
const UNAVAILABLE_MESSAGES =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|not queryable|pool after calling end/

const NUL = 'MILLRACE_NUL'

/** A text that PostgreSQL cannot hold. Known by its code, which is what the ORM's own errors keep of it. */
export class NulCharacter extends Error {
  override readonly name = 'NulCharacter'
  readonly code = NUL
  constructor() {
    super('a text must not contain the character NUL')
  }
}

interface Failure {
  readonly code?: unknown
  readonly constraint?: unknown
  readonly message?: unknown
  readonly cause?: unknown
}

/** What is there twice, if that is what the database complains about; else null. */
export function duplicateMessage(error: unknown): string | null {
  for (const { code, constraint } of chain(error)) {
    if (code === '23505') return DUPLICATES[String(constraint)] ?? 'there is one already'
  }
  return null
}

/** Whether it failed because the database did not answer, so that it may be tried again. */
export function isUnavailable(error: unknown): boolean {
  return chain(error).some(
    ({ code, message }) =>
      (typeof code === 'string' && (NETWORK_CODES.has(code) || UNAVAILABLE_STATES.test(code))) ||
      (typeof message === 'string' && UNAVAILABLE_MESSAGES.test(message)),
  )
}

/** Whether the statement itself took too long: less of it may succeed. */
export function isStatementTimeout(error: unknown): boolean {
  return chain(error).some(({ code }) => code === QUERY_CANCELED_STATE)
}

/** Whether it failed because somebody else holds a lock for too long, so that it may be tried again. */
export function isLockTimeout(error: unknown): boolean {
  return chain(error).some(({ code }) => code === LOCK_TIMEOUT_STATE)
}

/** Whether a text with NUL in it was kept from the database. */
export function isNulCharacter(error: unknown): boolean {
  return chain(error).some(({ code }) => code === NUL)
}

/** Whether the values themselves were at fault (classes 22 and 23, and an index entry's size). */
export function isDataFault(error: unknown): boolean {
  return chain(error).some(({ code }) => typeof code === 'string' && /^(22...|23...|54000)$/.test(code))
}

function chain(error: unknown): Failure[] {
  const failures: Failure[] = []
  for (let one = error; typeof one === 'object' && one !== null && failures.length < 8; one = (one as Failure).cause) {
    failures.push(one)
    // Node's happy eyeballs: one error for each address that was tried.
    if (one instanceof AggregateError) failures.push(...(one.errors as Failure[]))
  }
  return failures
}

/** Of a message that may go on for lines, the first. */
export function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
