import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { UpstreamRequest } from '../upstream/upstream.ts'
import { regionIn, signRequest } from './aws-signature.ts'

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const SIGNED_FOR = { host: 'bedrock-runtime.eu-west-1.amazonaws.com', region: 'eu-west-1', service: 'bedrock' }
const AT = Date.UTC(2026, 0, 2, 3, 4, 5)

/** As AWS's own signer, @smithy/signature-v4 6, signs the same. */
const VECTORS: readonly { name: string; path: string; body: string; sessionToken?: string; signature: string }[] = [
  {
    name: 'a path with an escaped colon, which is escaped once more',
    path: '/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse',
    body: '{"messages":[]}',
    signature: '36479ea99e85699b2b374b7c813f9ede191e5bdec3bb02bbbe39201457940f7a',
  },
  {
    name: 'an ARN in a path',
    path: '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-sonnet-4-20250514-v1%3A0/converse-stream',
    body: '{"messages":[]}',
    signature: 'cd80be1467d6321fd742ef34851740e7e64e9e73ac33b84790a2818ccba27432',
  },
  {
    name: 'a session token',
    path: '/model/amazon.nova-lite-v1%3A0/converse',
    body: '{}',
    sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLE//token+==',
    signature: 'cb1660bb5ef86b73f99ecd66a89b2fec94256b82ecd0ee287c0e7e34e0f24c45',
  },
  {
    name: 'a body beyond ASCII',
    path: '/model/amazon.nova-lite-v1%3A0/converse',
    body: '{"text":"Grüße 😀"}',
    signature: 'e171ff05a895be13f939573c12ee8fe65e7c4e7e61281104a28fdfeac3456132',
  },
  {
    name: 'an empty body, a base URL with a path, and characters that URLs leave as they are',
    path: "/prefix/model/a!'()*~%20b/invoke",
    body: '',
    signature: 'fad9f1da6aa8e4679203d6022c972e23115cab14d08be19c0f0989e05dae439f',
  },
]

describe('regionIn', () => {
  it("finds the region in the hosts of AWS's", () => {
    for (const [host, region] of [
      ['bedrock-runtime.eu-west-1.amazonaws.com', 'eu-west-1'],
      ['bedrock-runtime-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
      ['bedrock-runtime.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
      ['vpce-0a1b-2c3d.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com', 'ap-southeast-2'],
      ['bedrock-runtime.us-east-2.api.aws', 'us-east-2'],
      ['bedrock.example.com', null],
      ['127.0.0.1:8000', null],
      ['bedrock-runtime.eu-west-1.example.com', null],
    ] as const) {
      assert.equal(regionIn(host), region, host)
    }
  })
})

describe('signRequest', () => {
  for (const { name, path, body, sessionToken, signature } of VECTORS) {
    it(`signs ${name}`, () => {
      const headers = ['content-type', 'application/json']
      const request: UpstreamRequest = { path, method: 'POST', headers, body: body === '' ? null : Buffer.from(body) }
      signRequest(request, { ...KEY, sessionToken: sessionToken ?? null }, SIGNED_FOR, AT)
      const token = sessionToken === undefined ? [] : ['x-amz-security-token', sessionToken]
      const signed = `host;x-amz-date${sessionToken === undefined ? '' : ';x-amz-security-token'}`
      assert.deepEqual(request.headers, [
        'content-type',
        'application/json',
        'x-amz-date',
        '20260102T030405Z',
        ...token,
        'authorization',
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/bedrock/aws4_request, ' +
          `SignedHeaders=${signed}, Signature=${signature}`,
      ])
      assert.equal(request.path, path)
    })
  }
})
