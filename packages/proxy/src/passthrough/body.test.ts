import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'

import { bodyKindOf, isPlainJson } from './body.ts'

test('JSON is what is called so, and in UTF-8', () => {
  for (const type of [
    'application/json',
    'Application/JSON ; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; charset=utf8; a=b',
    'application/json; charset=us-ascii',
    'application/vnd.api+json',
    'application/merge-patch+json;a=charset',
  ])
    assert.ok(isPlainJson(type, undefined), type)
  assert.ok(!isPlainJson(undefined, undefined))
  for (const type of [
    '',
    'text/json',
    'application/jsonl',
    'application/x-ndjson',
    'application/json-seq',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8-but-not',
    'application/json; charset = "utf-7"',
    'application/json;charset=utf-8;charset=utf-32',
    'multipart/form-data; boundary=application/json',
  ])
    assert.ok(!isPlainJson(type, undefined), type)
})

test('what is compressed is not plain', () => {
  for (const [encoding, plain] of [
    ['', true],
    ['identity', true],
    ['gzip', false],
    ['identity, gzip', false],
  ] as const)
    assert.equal(isPlainJson('application/json', encoding), plain, encoding)
})

test('a body is one by its framing and method', () => {
  const json = { 'content-type': 'application/json' }
  for (const [method, headers, kind] of [
    ['POST', { ...json, 'content-length': '2' }, 'json'],
    ['DELETE', { ...json, 'transfer-encoding': 'chunked' }, 'json'],
    ['POST', { 'content-length': '2' }, 'unread'],
    ['PUT', { 'transfer-encoding': 'chunked' }, 'unread'],
    ['POST', { ...json, 'content-length': '0' }, 'none'],
    ['POST', json, 'none'],
    ['GET', { ...json, 'content-length': '2' }, 'none'],
    ['HEAD', { 'transfer-encoding': 'chunked' }, 'none'],
  ] as const)
    assert.equal(
      bodyKindOf({ method, headers } as unknown as IncomingMessage),
      kind,
      `${method} ${JSON.stringify(headers)}`,
    )
})
