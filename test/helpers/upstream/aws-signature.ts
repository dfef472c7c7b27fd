/** AWS's Signature Version 4, recomputed by hand (its guide "Create a signed AWS API request"). */
import { createHash, createHmac } from 'node:crypto'

import type { SeenRequest } from './exchange.ts'

export interface SignedAs {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly region: string
}

/** What is wrong with how a request is signed; null: nothing. */
export function signatureFault(request: SeenRequest, key: SignedAs): string | null {
  const header = (name: string): string => String(request.headers[name] ?? '')
  const told = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
    header('authorization'),
  )
  if (told === null) return `no signature: ${header('authorization').slice(0, 20)}`
  const [, credential, signedHeaders, signature] = told as unknown as [string, string, string, string]
  const date = header('x-amz-date')
  const age = Date.now() - Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))
  if (!(Math.abs(age) < 300_000)) return `signed at ${date}`
  const scope = `${date.slice(0, 8)}/${key.region}/bedrock/aws4_request`
  if (credential !== `${key.accessKeyId}/${scope}`) return `signed by ${credential}`
  if (header('x-amz-security-token') !== (key.sessionToken ?? '')) return 'another session token'
  const names = signedHeaders.split(';')
  const missing = ['host', 'x-amz-date', ...(key.sessionToken === undefined ? [] : ['x-amz-security-token'])].filter(
    (name) => !names.includes(name),
  )
  if (missing.length > 0) return `not signed: ${missing.join(', ')}`
  const canonical = [
    request.method,
    request.url.split('/').map(encodeURIComponent).join('/'),
    '',
    ...names.map((name) => `${name}:${header(name)}`),
    '',
    signedHeaders,
    sha256(request.body),
  ].join('\n')
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')
  const signing = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${key.secretAccessKey}`)
  return hmac(signing, text).toString('hex') === signature ? null : 'another signature'
}

function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
