import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { isSecretHeader, redacted, spellingsOfAll } from './redact.ts'

const clean = (text: string): string => redacted(text, [])

describe('what looks like a key is taken out', () => {
  const jwt = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c-_'.repeat(9)}`
  for (const [text, expected] of [
    ['sk-abcdefgh', '[redacted]'],
    ['key=sk-proj-Ab_1-Ab_1!', 'key=[redacted]!'],
    [`"sk-mr-0123456789ab-${'x'.repeat(43)}"`, '"[redacted]"'],
    [`ak-mr-0123456789ab-${'x'.repeat(43)}`, '[redacted]'],
    [String.raw`{"a":"line\nsk-abcdefgh\tsk-ijklmnop"}`, String.raw`{"a":"line\n[redacted]\t[redacted]"}`],
    [String.raw`"\u0020sk-abcdefgh"`, String.raw`"\u0020[redacted]"`],
    ['%20sk-abcdefgh%3Dsk-abcdefgh', '%20[redacted]%3D[redacted]'],
    [`x AIza${'Z'.repeat(35)} y`, 'x [redacted] y'],
    ['AKIAABCDEFGHIJKLMNOP,ASIAABCDEFGHIJKLMNOP', '[redacted],[redacted]'],
    [`ghp_${'a'.repeat(36)} hf_${'b'.repeat(30)} gsk_${'c'.repeat(40)}`, '[redacted] [redacted] [redacted]'],
    [`ABSK${'Qm'.repeat(20)}= bedrock-api-key-${'YW'.repeat(20)}`, '[redacted] [redacted]'],
    ['authorization: Bearer abc.def~ghi', 'authorization: [redacted]'],
    ['bearer%20abcdefgh', '[redacted]'],
    [`a ${jwt}, b`, 'a [redacted], b'],
    [String.raw`"\n${jwt}"`, String.raw`"\n[redacted]"`],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----', '[redacted]-----END RSA PRIVATE KEY-----'],
    ['-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES-128-CBC,AB\n\nMIIE\n-----END ', '[redacted]-----END '],
    ['{"api_key": "anything", "x": 1}', '{"api_key": "[redacted]", "x": 1}'],
    ['{"secret_key": "anything"}', '{"secret_key": "[redacted]"}'],
    [String.raw`{"password":"hun\"ter\\","x":1}`, String.raw`{"password":"[redacted]","x":1}`],
    [
      String.raw`{"a":"{\"password\":\"h\\\"ter\\\\\",\"x\":1}"}`,
      String.raw`{"a":"{\"password\":\"[redacted]\",\"x\":1}"}`,
    ],
    [String.raw`"\\\"password\\\":\\\"hunter22\\\",\\\"x"`, String.raw`"\\\"password\\\":\\\"[redacted]\\\",\\\"x"`],
    ['curl -H "Authorization: Basic YWJjZDplZmdo" -d', 'curl -H "Authorization: Basic [redacted]" -d'],
    ["'x-api-key: 0123456789' x", "'x-api-key: [redacted]' x"],
    [Buffer.from('?password=hühnàrei&b=1').toString('latin1'), '?password=[redacted]&b=1'],
    [
      String.raw`{"arguments":"{\"password\":\"hunter22\"}"}`,
      String.raw`{"arguments":"{\"password\":\"[redacted]\"}"}`,
    ],
    ['https://x/y?key=abcdefgh&z=1&access_token=ijklmnop', 'https://x/y?key=[redacted]&z=1&access_token=[redacted]'],
  ] as const)
    test(text.slice(0, 40), () => assert.equal(clean(text), expected))
})

test('what is no key stays', () => {
  for (const text of [
    'a task-oriented dialogue, risk-averse',
    'sk-short',
    '{"max_tokens": 1000, "token": "a b"}',
    '?max_tokens=1000',
    'The bearer of this letter',
    'eyJhbGciOi without its payload',
    '{"password": {"type": "string"}}',
  ])
    assert.equal(clean(text), text)
})

test('a secret that is known goes in each of its spellings', () => {
  const secret = 'upstream/0123456789+/=%~&"é'
  const base64 = Buffer.from(`x${secret}x`).toString('base64')
  const spellings = spellingsOfAll([secret, 'none'])
  for (const spelling of [
    secret,
    JSON.stringify(secret),
    JSON.stringify(secret).replaceAll('/', '\\/'),
    encodeURIComponent(secret),
    base64,
    Buffer.from(secret).toString('hex'),
  ]) {
    const shown = redacted(Buffer.from(`before ${spelling} after none`).toString('latin1'), spellings)
    assert.match(shown, /^before ["\w]{0,4}\[redacted\]["\w+/=]{0,8} after none$/, spelling)
  }
})

describe('a text that is cut', () => {
  const text = `0123456789 sk-abcdefghijkl ${'x'.repeat(20)}`
  test('has no half of a secret, nor what came after', () => {
    assert.equal(redacted(text, [], 11), '0123456789 ')
    for (const most of [12, 15, 26]) assert.equal(redacted(text, [], most), '0123456789 [redacted]')
    assert.equal(redacted(text, [], 28), '0123456789 [redacted] x')
  })
  test('overlapping secrets are one', () => {
    const spellings = spellingsOfAll(['abcdefghijkl xx', '6789 sk-abc'])
    assert.equal(redacted(text, spellings), `012345[redacted]${'x'.repeat(18)}`)
  })
})

test('looking takes time in proportion to the text', () => {
  const time = (text: string, secrets: string[] = []): number => {
    const began = process.cpuUsage()
    redacted(text, spellingsOfAll(secrets))
    const { user, system } = process.cpuUsage(began)
    return (user + system) / 1_000
  }
  for (const unit of [
    'eyJ-',
    'eyJaaaaaaaa.',
    'sk-a ',
    'Bearer ',
    '"api_key',
    '\\"',
    '?key',
    '-----BEGIN PRIVATE KEY-----',
    'x',
    '%20eyJ',
  ]) {
    const took = time(unit.repeat(Math.ceil(500_000 / unit.length)))
    assert.ok(took < 2_000, `${unit}: ${took} ms`)
  }
  // A client says itself what its headers are. Looked for as a whole, these take a hundred times as long.
  const long = `${'a'.repeat(800)}b${'a'.repeat(7_000)}`
  const took = time('a'.repeat(1_000_000), [long, `${long}a`])
  assert.ok(took < 2_000, `${took} ms`)
})

test('a long secret goes as a whole, and as far as it is there', () => {
  const secret = Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 7) % 251)).toString('hex')
  const text = `a ${secret} b ${secret.slice(0, 700)} c`
  assert.equal(redacted(text, spellingsOfAll([secret])), 'a [redacted] b [redacted] c')
})

test('headers that are secrets as a whole', () => {
  for (const name of [
    'authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'x-api-key',
    'api-key',
    'x-goog-api-key',
    'x-millrace-upstream-key',
    'x-auth-token',
    'x-amz-security-token',
    'ocp-apim-subscription-key',
    'x-authtoken',
    'x_api_key',
    'x-auth',
  ])
    assert.ok(isSecretHeader(name), name)
  for (const name of ['x-ratelimit-limit-tokens', 'content-type', 'x-millrace-id', 'user-agent', 'etag'])
    assert.ok(!isSecretHeader(name), name)
})
