import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { clientIp } from './client-address.ts'
import { ipText, networkOf, parseIp } from './ip-address.ts'
import { IpRanges, isLoopback } from './ip-ranges.ts'

function clientAddress(...args: Parameters<typeof clientIp>): string | null {
  const key = clientIp(...args)
  return key && ipText(key)
}

describe('an address', () => {
  for (const [text, expected] of [
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::0001', '2001:db8::1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ] as const) {
    it(`${text} is ${expected}`, () => {
      const key = parseIp(text)
      assert.ok(key !== null)
      assert.equal(ipText(key), expected)
    })
  }

  for (const text of [
    '',
    ' ',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.',
    '1.2.3.4 ',
    '0x7f.0.0.1',
    '2130706433',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::1',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '[::1]',
    '::1%eth0',
    `${'0'.repeat(100)}::1`,
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseIp(text), null))
  }

  it('has a network: itself, or the first 64 bits of IPv6', () => {
    const network = (text: string): string => networkOf(parseIp(text)!)
    assert.notEqual(network('192.0.2.1'), network('192.0.2.2'))
    assert.equal(network('2001:db8::1'), network('2001:db8::ffff:0:0:1'))
    assert.notEqual(network('2001:db8::1'), network('2001:db8:0:1::1'))
  })
})

describe('ranges', () => {
  const has = (ranges: readonly string[], address: string): boolean => new IpRanges(ranges).has(parseIp(address)!)

  for (const [ranges, inside, outside] of [
    [['192.0.2.7'], ['192.0.2.7', '::ffff:192.0.2.7'], ['192.0.2.6', '192.0.2.8', '::c000:207']],
    [['192.0.2.0/24'], ['192.0.2.0', '192.0.2.255'], ['192.0.1.255', '192.0.3.0']],
    [['192.0.2.77/24'], ['192.0.2.0', '192.0.2.255'], ['192.0.3.0']],
    [['0.0.0.0/0'], ['0.0.0.0', '255.255.255.255', '::ffff:1.2.3.4'], ['::', '2001:db8::1']],
    [['::/0'], ['::', 'ffff::', '2001:db8::1'], ['1.2.3.4', '::ffff:1.2.3.4']],
    [['::ffff:10.0.0.0/104'], ['10.0.0.1', '10.255.255.255'], ['11.0.0.0']],
    [['2001:db8::/33'], ['2001:db8::', '2001:db8:7fff:ffff::1'], ['2001:db8:8000::', '2001:db7:ffff::']],
    [
      ['10.0.0.0/8', '10.1.0.0/16', '2001:db8::1', '172.16.0.0/12', '10.0.0.0/9'],
      ['10.0.0.1', '10.1.2.3', '10.200.0.1', '172.31.255.255', '2001:db8::1'],
      ['9.255.255.255', '11.0.0.0', '172.32.0.0', '2001:db8::2'],
    ],
  ] as const) {
    it(ranges.join(' '), () => {
      for (const address of inside) assert.ok(has(ranges, address), address)
      for (const address of outside) assert.ok(!has(ranges, address), address)
    })
  }

  for (const text of [
    '',
    '/8',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '::ffff:0:0/95',
    'x/8',
  ])
    it(`${JSON.stringify(text)} is none`, () => assert.throws(() => new IpRanges([text]), RangeError))
})

describe('the client', () => {
  const trusted = new IpRanges(['10.0.0.0/8', '2001:db8:1::/48'])

  for (const [name, socket, forwarded, expected] of [
    ['without a proxy is the socket', '198.51.100.1', undefined, '198.51.100.1'],
    ['that no trusted proxy speaks for may write what it likes', '198.51.100.1', '10.0.0.9, 192.0.2.1', '198.51.100.1'],
    ['behind a trusted proxy is what that says', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['behind a mapped one too', '::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['behind several is the nearest that is not trusted', '10.0.0.1', '192.0.2.1, 10.0.0.3,10.0.0.2', '192.0.2.1'],
    ['cannot put others before itself', '10.0.0.1', '203.0.113.9, 192.0.2.1', '192.0.2.1'],
    ['cannot put trusted ones before itself', '10.0.0.1', '203.0.113.9, 10.0.0.7, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['may itself be in a trusted range', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['of IPv6', '2001:db8:1::1', '2001:DB8:2:0::7', '2001:db8:2::7'],
    ['with a port', '10.0.0.1', '192.0.2.1:54321', '192.0.2.1'],
    ['of IPv6 with a port', '10.0.0.1', '[2001:db8:2::7]:443', '2001:db8:2::7'],
    ['on a link of this machine', 'fe80::1%eth0', undefined, 'fe80::1'],
    ['is the proxy where that says nothing', '10.0.0.1', '', '10.0.0.1'],
    ['is the proxy where that says no address', '10.0.0.1', '192.0.2.1, unknown', '10.0.0.1'],
    ['is the last hop before an entry that is empty', '10.0.0.1', '192.0.2.1,,10.0.0.2', '10.0.0.2'],
    ['is the last hop before one that is broken', '10.0.0.1', '192.0.2.1, 192.0.2.999, 10.0.0.2', '10.0.0.2'],
  ] as const) {
    it(name, () => assert.equal(clientAddress(socket, forwarded, trusted), expected))
  }

  it('is not known of a socket that has closed', () =>
    assert.equal(clientAddress(undefined, '192.0.2.1', trusted), null))
  it('is the socket where nobody is trusted', () =>
    assert.equal(clientAddress('10.0.0.1', '192.0.2.1', undefined), '10.0.0.1'))
  it('may come in several headers', () =>
    assert.equal(clientAddress('10.0.0.1', ['203.0.113.9', '192.0.2.1, 10.0.0.2'], trusted), '192.0.2.1'))
})

it('this machine is known however it is spelt, and nobody else', () => {
  for (const text of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(parseIp(text)), text)
  for (const text of ['128.0.0.1', '10.0.0.1', '::', '::2', '2001:db8::1', '0.0.0.0'])
    assert.ok(!isLoopback(parseIp(text)), text)
  assert.ok(!isLoopback(null))
})
