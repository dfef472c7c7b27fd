/** What a packed answer tells beside its body. */
import { NO_USAGE, USAGE_SOURCES, type TokenUsage } from '@millrace/shared'

import type { StoredAnswer, StoredStream } from './answer.ts'

/** RFC 9110, section 5.6.2. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What node:http takes: a line's end in one would begin another header. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const ETAG = /^"[\x21\x23-\x7e]{1,200}"$/
/** Of framing: with one of these an answer would be read as another. */
const FRAMING = /^(connection|content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i

const COUNTED = Object.keys(NO_USAGE).filter((name) => name !== 'source') as Exclude<keyof TokenUsage, 'source'>[]

/** Lengths and pauses rather than sums of them: they are shorter, and compress better. */
interface PackedStream {
  readonly lengths: readonly number[]
  /** In whole milliseconds. */
  readonly pauses: readonly number[]
  readonly usagePart: number
}

export interface PackedHead extends Omit<StoredAnswer, 'body' | 'stream'> {
  readonly key: string
  readonly mark: string
  readonly stream: PackedStream | null
}

export interface CheckedHead {
  readonly key: string
  readonly mark: string
  readonly answer: Omit<StoredAnswer, 'body'>
}

export function headOf(key: string, mark: string, { body: _, stream, ...rest }: StoredAnswer): PackedHead {
  return { key, mark, ...rest, stream: stream && packedStream(stream) }
}

function packedStream({ ends, at, usagePart }: StoredStream): PackedStream {
  const steps = (totals: readonly number[]): number[] =>
    totals.map((total, i) => Math.max(0, total - (i === 0 ? 0 : totals[i - 1]!)))
  return { lengths: steps(ends), pauses: steps(at.map(Math.round)), usagePart }
}

/** @returns null: it is no head of an answer with a body of so many bytes that may go to a client */
export function checkedHead(value: unknown, bodyBytes: number): CheckedHead | null {
  if (!isObject(value)) return null
  const head = value as Partial<Record<keyof PackedHead, unknown>>
  const { key, mark, status, headers, providerId, providerName, providerModel, projectId, model } = head
  const { storedAt, expiresAt, etag } = head
  const stream = head.stream === null ? null : checkedStream(head.stream, bodyBytes)
  const usage = checkedUsage(head.usage)
  if (!isText(key) || !isText(mark) || !isText(projectId) || !isText(model)) return null
  if (!isText(providerId) || !isText(providerName) || !isText(providerModel)) return null
  if (!isCount(status) || status < 200 || status > 299 || !isHeaders(headers)) return null
  if (!isCount(storedAt) || !isCount(expiresAt) || !isText(etag) || !ETAG.test(etag)) return null
  if (stream === undefined || usage === null) return null
  const origin = { providerId, providerName, providerModel, projectId, model }
  return { key, mark, answer: { status, headers, stream, usage, ...origin, storedAt, expiresAt, etag } }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount)
}

function isHeaders(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length % 2 !== 0) return false
  return value.every(
    (text, i) => typeof text === 'string' && (i % 2 === 1 ? VALUE.test(text) : NAME.test(text) && !FRAMING.test(text)),
  )
}

function checkedUsage(value: unknown): TokenUsage | null {
  if (!isObject(value)) return null
  const { source, ...counts } = value as TokenUsage
  if (!USAGE_SOURCES.includes(source)) return null
  const usage = { ...NO_USAGE, source }
  for (const name of COUNTED) {
    if (!isCount(counts[name])) return null
    usage[name] = counts[name]
  }
  return usage
}

/** @returns undefined: it is none */
function checkedStream(value: unknown, bodyBytes: number): StoredStream | undefined {
  if (!isObject(value)) return undefined
  const { lengths, pauses, usagePart } = value as Partial<Record<keyof PackedStream, unknown>>
  if (!isCounts(lengths) || !isCounts(pauses) || pauses.length !== lengths.length) return undefined
  if (usagePart !== -1 && !(isCount(usagePart) && usagePart < lengths.length)) return undefined
  const ends = sums(lengths)
  const at = sums(pauses)
  const isWhole = (ends.at(-1) ?? 0) === bodyBytes && Number.isSafeInteger(at.at(-1) ?? 0)
  return isWhole ? { ends, at, usagePart } : undefined
}

function sums(steps: readonly number[]): number[] {
  let sum = 0
  return steps.map((step) => (sum += step))
}
