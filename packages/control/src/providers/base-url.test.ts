import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readBaseUrl } from './base-url.ts'

test('a base URL gets its one spelling', () => {
  for (const [given, baseUrl] of [
    ['https://API.example.com/v1/', 'https://api.example.com/v1'],
    ['http://10.1.2.3:8000//', 'http://10.1.2.3:8000'],
    ['http://0x7f.1/v1', 'http://127.0.0.1/v1'],
  ] as const) {
    assert.deepEqual(readBaseUrl(given, true), { baseUrl }, given)
  }
})

test('a link-local address is refused however it is spelt', () => {
  for (const host of [
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '[fe80::1]',
    '[febf::1]',
    '[::ffff:169.254.0.1]',
  ]) {
    assert.deepEqual(readBaseUrl(`http://${host}/`, true), { fault: 'must not be a link-local address' }, host)
  }
})

test('private addresses are refused where they are not allowed', () => {
  const hosts = [
    'localhost',
    'a.localhost',
    '127.0.0.1',
    '0.0.0.0',
    '10.0.0.1',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '[::1]',
    '[fd00::1]',
    '[::ffff:10.0.0.1]',
  ]
  for (const host of hosts) {
    assert.ok('baseUrl' in readBaseUrl(`http://${host}/`, true), host)
    assert.ok('fault' in readBaseUrl(`http://${host}/`, false), host)
  }
  for (const host of ['172.32.0.1', '8.8.8.8', 'localhost.example.com', '[2001:db8::1]']) {
    assert.ok('baseUrl' in readBaseUrl(`http://${host}/`, false), host)
  }
})
