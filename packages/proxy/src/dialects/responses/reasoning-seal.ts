/**
 * Items of reasoning carry what their provider wants back: `encrypted_content`. Of a provider that speaks another API, all that
 * belongs to the thought is packed into it: a client which keeps nothing else of the item loses nothing that was signed, and it
 * can be told from OpenAI's own.
 */
import type { ReasoningPart, Signature } from '../../canonical/content.ts'
import { openedSignature, sealedSignature } from '../../canonical/signature.ts'
import { isObject } from '../../canonical/values.ts'
import { stringOf } from './values.ts'

/** What an item of reasoning means. */
export interface Sealed {
  readonly signature: Signature | null
  /** The thought as it was signed; null: the item's own text is. */
  readonly text: string | null
  readonly summary: boolean
  readonly redacted: string | null
  /** The call of a tool that the signature is of; null: it is of the thought. */
  readonly call: string | null
}

/** The signature of an item of OpenAI's: its id belongs to it. */
export function itemSignature(id: string, encrypted: string): Signature {
  return { origin: 'responses', value: `${id}:${encrypted}` }
}

/** @param value of a signature of origin `responses` */
export function itemOf(value: string): { readonly id: string | null; readonly encrypted: string } {
  const colon = value.indexOf(':')
  return colon < 0
    ? { id: null, encrypted: value }
    : { id: value.slice(0, colon) || null, encrypted: value.slice(colon + 1) }
}

/** @returns `encrypted_content` */
export function sealThought({ text, signature, redacted, summary }: Omit<ReasoningPart, 'type'>): string {
  if (signature?.origin === 'responses') return itemOf(signature.value).encrypted
  const signed = signature === null ? {} : { signed: true, text }
  return seal(signature ?? UNSIGNED, { ...signed, redacted, summary })
}

const UNSIGNED: Signature = { origin: 'messages', value: '' }

/** @returns `encrypted_content` of an item that only signs a call */
export function sealCall(call: string, signature: Signature): string {
  return seal(signature, { signed: true, call })
}

function seal({ origin, value }: Signature, more: Readonly<Record<string, unknown>>): string {
  const packed = Buffer.from(JSON.stringify({ ...more, value })).toString('base64url')
  return sealedSignature({ origin, value: packed })
}

/** Whether OpenAI knows nothing of it. @param encrypted an item's `encrypted_content` */
export function isForeign(encrypted: unknown): boolean {
  return typeof encrypted === 'string' && openedSignature(encrypted, 'responses').origin !== 'responses'
}

/** @param id the item's; empty: it has none */
export function openThought(id: string, encrypted: string): Sealed {
  const opened = openedSignature(encrypted, 'responses')
  if (opened.origin === 'responses') {
    const signature = itemSignature(id, opened.value)
    return { signature, text: null, summary: true, redacted: null, call: null }
  }
  const packed = unpack(opened.value)
  if (!isObject(packed)) return { signature: null, text: null, summary: false, redacted: null, call: null }
  const signature = { origin: opened.origin, value: stringOf(packed['value']) ?? '' }
  return {
    signature: packed['signed'] === true ? signature : null,
    text: stringOf(packed['text']),
    summary: packed['summary'] === true,
    redacted: stringOf(packed['redacted']),
    call: stringOf(packed['call']),
  }
}

function unpack(value: string): unknown {
  try {
    return JSON.parse(Buffer.from(value, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}
