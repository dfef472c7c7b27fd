/** Answers to be stored, and how they are looked for. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

import { NO_USAGE } from '@millrace/shared'

import type { StoredAnswer } from '../../../packages/proxy/dist/cache/answer.js'
import type { AnswerCache, Lookup } from '../../../packages/proxy/dist/cache/cache.js'

export const HOUR_MS = 3_600_000

export function storedAnswer(given: Partial<StoredAnswer> = {}): StoredAnswer {
  const now = Date.now()
  return {
    status: 200,
    headers: ['content-type', 'application/json', 'x-note', 'caf\xe9'],
    body: '{"id":"chatcmpl-1"}',
    stream: null,
    usage: { ...NO_USAGE, inputTokens: 12, outputTokens: 34, cachedInputTokens: 5, source: 'PROVIDER' },
    providerId: 'provider-1',
    providerName: 'Provider „1“',
    providerModel: 'model-1-2026',
    projectId: 'project-1',
    model: 'fast',
    storedAt: now,
    expiresAt: now + HOUR_MS,
    etag: '"abc"',
    ...given,
  }
}

/** A stream of so many parts, the last of which tells usage. */
export function storedStream(parts: number): Pick<StoredAnswer, 'headers' | 'body' | 'stream'> {
  const texts = Array.from({ length: parts }, (_, i) => `data: {"delta":"${i} \xc3\xa9"}\n\n`)
  let end = 0
  const ends = texts.map((text) => (end += text.length))
  const at = texts.map((_, i) => i * 20)
  return {
    headers: ['content-type', 'text/event-stream'],
    body: texts.join(''),
    stream: { ends, at, usagePart: parts - 1 },
  }
}

/** As cache/key.ts makes them. */
export function cacheKey(name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}

/** Whose {@link storedAnswer} is. */
export const SCOPE = { projectId: 'project-1', model: 'fast' }
export const EVERYTHING = { projectId: null, model: null }
export const KEY = cacheKey('one')

/** What is found at once. */
export function here(cache: AnswerCache, key = KEY, maxAgeMs?: number): Lookup {
  const found = cache.look(key, SCOPE, maxAgeMs)
  assert.ok(!(found instanceof Promise), 'a promise')
  return found
}
