import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { UpstreamHeaders } from './call.ts'
import { retryAfterOf } from './retry-after.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')

type Case = readonly [headers: UpstreamHeaders, expected: number | null]

const holds = (status: number, cases: readonly Case[]): void => {
  for (const [headers, expected] of cases) {
    it(`${JSON.stringify(headers)}: ${expected} ms`, () => assert.equal(retryAfterOf(headers, status, NOW), expected))
  }
}

describe('retryAfterOf any answer', () => {
  holds(500, [
    [{}, null],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': ' 2 ' }, 2_000],
    [{ 'retry-after': ['3', '9'] }, 3_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': '0.0001' }, 1],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT' }, 3_000],
    [{ 'retry-after': 'Thursday, 01-Jan-26 00:00:03 GMT' }, 3_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 23:59:00 GMT' }, null],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
    [{ 'retry-after-ms': '0.2' }, 1],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9_000],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '' }, null],
    [{ 'retry-after': '-1' }, null],
    [{ 'retry-after': '1e3' }, null],
    [{ 'retry-after': '999999999' }, 86_400_000],
    [{ 'x-ratelimit-reset-requests': '6m0s', 'x-ratelimit-remaining-requests': '0' }, null],
    [{ 'x-ratelimit-reset': '5' }, null],
  ])

  it('without a status', () => {
    assert.equal(retryAfterOf({ 'retry-after': '2' }), 2_000)
    assert.equal(retryAfterOf({ 'x-ratelimit-reset': '5' }), null)
  })
})

describe("retryAfterOf a date, by the upstream's own clock", () => {
  const date = 'Thu, 01 Jan 2026 05:00:00 GMT'
  holds(503, [
    [{ 'retry-after': 'Thu, 01 Jan 2026 05:00:03 GMT', date }, 3_000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT', date: 'Wed, 31 Dec 2025 23:00:00 GMT' }, 3_603_000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 04:59:59 GMT', date }, null],
    [{ 'retry-after': date, date }, 0],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT', date: 'today' }, 3_000],
    [{ 'retry-after': '2', date }, 2_000],
  ])
})

describe('retryAfterOf a 429: how resets are written', () => {
  holds(
    429,
    (
      [
        ['6m0s', 360_000],
        ['1s', 1_000],
        ['12ms', 12],
        ['1h2m3.5s', 3_723_500],
        ['2m59.56s', 179_560],
        ['500µs', 1],
        ['250us', 1],
        ['1d', 86_400_000],
        ['30h', 86_400_000],
        ['0s', 0],
        ['60', 60_000],
        ['0.25', 250],
        [String(NOW / 1_000 + 7), 7_000],
        [String(NOW / 1_000 + 7.5), 7_500],
        [String(NOW + 7_250), 7_250],
        [String(NOW / 1_000 - 7), null],
        ['2026-01-01T00:00:09Z', 9_000],
        ['2026-01-01T01:00:09.250+01:00', 9_250],
        ['2025-12-31T23:59:59Z', null],
        ['', null],
        ['s', null],
        ['5 s', null],
        ['5x', null],
        ['1m-5s', null],
        ['soon', null],
      ] as const
    ).map(([reset, expected]) => [{ 'x-ratelimit-reset': reset }, expected]),
  )
})

describe('retryAfterOf a 429: which reset counts', () => {
  holds(429, [
    [{ 'retry-after': '1', 'x-ratelimit-reset-requests': '6m0s', 'x-ratelimit-remaining-requests': '0' }, 1_000],
    [{ 'retry-after': 'soon', 'x-ratelimit-reset-requests': '6m0s' }, 360_000],
    [{ 'x-ratelimit-reset-requests': '8s', 'x-ratelimit-reset-tokens': '2s' }, 8_000],
    [
      {
        'x-ratelimit-reset-requests': '8s',
        'x-ratelimit-remaining-requests': '12',
        'x-ratelimit-reset-tokens': '2s',
        'x-ratelimit-remaining-tokens': '0',
      },
      2_000,
    ],
    [
      {
        'x-ratelimit-reset-requests': '8s',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-tokens': '9s',
        'x-ratelimit-remaining-tokens': '0',
      },
      9_000,
    ],
    [
      {
        'x-ratelimit-reset-requests': '8s',
        'x-ratelimit-remaining-requests': '12',
        'x-ratelimit-reset-tokens': '2s',
        'x-ratelimit-remaining-tokens': '20',
      },
      8_000,
    ],
    [
      {
        'anthropic-ratelimit-requests-reset': '2026-01-01T00:01:00Z',
        'anthropic-ratelimit-requests-remaining': '4',
        'anthropic-ratelimit-tokens-reset': '2026-01-01T00:00:05Z',
        'anthropic-ratelimit-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:06Z',
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-output-tokens-reset': '2026-01-01T00:00:07Z',
        'anthropic-ratelimit-output-tokens-remaining': '1000',
      },
      6_000,
    ],
    [{ 'x-ratelimit-reset': '4', 'x-ratelimit-remaining': '0' }, 4_000],
    [{ 'x-ratelimit-remaining': '0' }, null],
  ])
})

describe('retryAfterOf a 503: a limit that is not used up is not why', () => {
  holds(503, [
    [{ 'retry-after': '1', 'x-ratelimit-reset': '4' }, 1_000],
    [{ 'x-ratelimit-reset': '4' }, 4_000],
    [{ 'x-ratelimit-reset-tokens': '6m0s', 'x-ratelimit-remaining-tokens': '0' }, 360_000],
    [{ 'x-ratelimit-reset-tokens': '6m0s', 'x-ratelimit-remaining-tokens': '20' }, null],
  ])
})
