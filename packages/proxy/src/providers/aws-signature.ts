/** AWS's Signature Version 4, in the request's headers. */
import type { AwsKey } from '@millrace/shared'
import aws4 from 'aws4'

import type { UpstreamRequest } from '../upstream/upstream.ts'

export interface SignedFor {
  /** As the request's own `host` header will have it. */
  readonly host: string
  readonly region: string
  readonly service: string
}

/** AWS's own endpoints of Bedrock, FIPS, dual-stack and VPC ones included. */
const ENDPOINT =
  /(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d{1,2})\.(?:(?:vpce\.)?amazonaws\.com|api\.aws)/

/** The region that a host of AWS's names, for which alone it takes signatures; null: it names none. */
export function regionIn(host: string): string | null {
  return ENDPOINT.exec(host)?.[1] ?? null
}

/**
 * Adds the headers that sign a request. Of its own headers the host is signed, and what is added; of the rest proxies may
 * change something.
 * @param now milliseconds since 1970
 */
export function signRequest(
  request: UpstreamRequest,
  key: AwsKey,
  { host, region, service }: SignedFor,
  now: number,
): void {
  const { path, method, headers: list, body } = request
  const date = new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, '')
  const headers: Record<string, string> = { host, 'x-amz-date': date }
  if (key.sessionToken !== null) headers['x-amz-security-token'] = key.sessionToken
  const signer = new aws4.RequestSigner(
    { host, path, method, headers, service, region, body: body ?? '', doNotModifyHeaders: true },
    { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey },
  )
  signer.datetime = date
  list.push('x-amz-date', date)
  if (key.sessionToken !== null) list.push('x-amz-security-token', key.sessionToken)
  list.push('authorization', signer.authHeader())
}
