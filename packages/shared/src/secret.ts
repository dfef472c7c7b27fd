/**
 * Secrets: how they are made, recognised and kept. Tokens and admin keys are kept as digests only;
 * upstream keys must be used again and are sealed under the master key.
 */
import { createCipheriv, createDecipheriv, hash, randomBytes, randomInt } from 'node:crypto'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PUBLIC_ID_LENGTH = 12
/** 43 base62 characters hold 256 bits. */
const SECRET_LENGTH = 43

export const TOKEN_PREFIX = 'sk-mr-'
export const ADMIN_KEY_PREFIX = 'ak-mr-'

export interface NewSecret {
  /** Shown once, never stored. */
  readonly secret: string
  /** The part that may be shown afterwards. */
  readonly prefix: string
  /** What is stored, and looked up by. */
  readonly digest: string
}

/** Makes a secret of the form `<kind><12 characters of public id>-<43 characters of secret>`, base62. */
export function newSecret(kind: typeof TOKEN_PREFIX | typeof ADMIN_KEY_PREFIX): NewSecret {
  const prefix = kind + base62(PUBLIC_ID_LENGTH)
  const secret = `${prefix}-${base62(SECRET_LENGTH)}`
  return { secret, prefix, digest: digest(secret) }
}

function base62(length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += BASE62[randomInt(BASE62.length)]
  return text
}

/** SHA-256, in hex. Enough for secrets of 256 random bits: there is nothing to guess, so nothing to slow down. */
export function digest(secret: string): string {
  return hash('sha256', secret)
}

/** What may be shown of an upstream key: `sha256:` and the first 16 hex digits of its digest. */
export function fingerprint(apiKey: string): string {
  return `sha256:${digest(apiKey).slice(0, 16)}`
}

/** A key-encryption key of 32 bytes, and the name by which envelopes refer to it. */
export interface MasterKey {
  readonly id: string
  readonly bytes: Buffer
}

/**
 * Reads a master key: 32 bytes in base64.
 * @throws RangeError if it is anything else; the message does not contain the value
 */
export function parseMasterKey(base64: string): MasterKey {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64').replace(/=+$/, '') !== base64.trim().replace(/=+$/, '')) {
    throw new RangeError('must be 32 bytes in base64 (openssl rand -base64 32)')
  }
  return { id: hash('sha256', bytes).slice(0, 8), bytes }
}

/** A new random master key in the form that {@link parseMasterKey} reads. */
export function newMasterKey(): string {
  return randomBytes(32).toString('base64')
}

const VERSION = 'v1'
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D), a random 96-bit nonce each time.
 * @param context names the row that the envelope belongs to; it opens nowhere else
 * @returns `v1.<key id>.<base64url of nonce, tag, ciphertext>`
 */
export function seal(plain: string, key: MasterKey, context: string): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, iv)
  cipher.setAAD(Buffer.from(`${VERSION}.${key.id}.${context}`))
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return `${VERSION}.${key.id}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`
}

/**
 * Opens an envelope made by {@link seal} with the same context.
 * @throws Error saying which of key, form or context is wrong, without any of the content
 */
export function open(envelope: string, keys: readonly MasterKey[], context: string): string {
  const [version, keyId, body] = envelope.split('.')
  if (version !== VERSION || keyId === undefined || body === undefined) throw new Error('not a sealed secret')
  const key = keys.find(({ id }) => id === keyId)
  if (!key) throw new Error(`sealed under another master key (${keyId})`)
  const bytes = Buffer.from(body, 'base64url')
  const tagEnd = IV_BYTES + TAG_BYTES
  if (bytes.length < tagEnd) throw new Error('not a sealed secret')
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, IV_BYTES))
  decipher.setAAD(Buffer.from(`${VERSION}.${keyId}.${context}`))
  decipher.setAuthTag(bytes.subarray(IV_BYTES, tagEnd))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8')
  } catch {
    throw new Error('the sealed secret was changed, or belongs to another row')
  }
}

/** The context under which a provider's credential is sealed: it opens for this row of this provider alone. */
export function credentialContext(providerId: string, credentialId: string): string {
  return `provider:${providerId}:credential:${credentialId}`
}
