import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { newMasterKey } from './secret.ts'
import { envReferenceAllowed, readSettings, SettingsError } from './settings.ts'

describe('readSettings', () => {
  it('has defaults that serve', () => {
    const settings = readSettings({ PATH: '/bin', MILLRACE_HOST: '' })
    assert.equal(settings.MILLRACE_HOST, '127.0.0.1')
    assert.equal(settings.MILLRACE_CONTROL_PORT, 4000)
    assert.equal(settings.MILLRACE_PROXY_PORT, 8080)
    assert.equal(settings.MILLRACE_DATABASE_URL, undefined)
    assert.equal(settings.MILLRACE_REDIS_URL, undefined)
    assert.equal(settings.MILLRACE_PRIVATE_UPSTREAMS, true)
    assert.deepEqual(settings.MILLRACE_ENV_ALLOW, ['*_API_KEY'])
  })

  it('reads what is set', () => {
    const settings = readSettings({
      MILLRACE_PROXY_PORT: '0',
      MILLRACE_PRIVATE_UPSTREAMS: 'false',
      MILLRACE_ENV_ALLOW: 'A_*, B ,',
      MILLRACE_CONTROL_URL: 'https://control.example',
      MILLRACE_MASTER_KEY: newMasterKey(),
    })
    assert.equal(settings.MILLRACE_PROXY_PORT, 0)
    assert.equal(settings.MILLRACE_PRIVATE_UPSTREAMS, false)
    assert.deepEqual(settings.MILLRACE_ENV_ALLOW, ['A_*', 'B'])
    assert.equal(settings.MILLRACE_MASTER_KEY?.bytes.length, 32)
  })

  for (const url of [
    'redis://127.0.0.1',
    'redis://:secret%25@[::1]:6380/',
    'rediss://user:p%40ss@redis.example:6380/12',
  ]) {
    it(`takes Redis at ${url}`, () => {
      assert.equal(readSettings({ MILLRACE_REDIS_URL: url }).MILLRACE_REDIS_URL, url)
    })
  }

  it('takes a control plane at the address that this machine listens on', () => {
    const env = { MILLRACE_HOST: '192.0.2.1', MILLRACE_CONTROL_URL: 'http://192.0.2.1:4000' }
    assert.equal(readSettings(env).MILLRACE_CONTROL_URL, env.MILLRACE_CONTROL_URL)
  })

  for (const [name, value] of [
    ['MILLRACE_PROXY_PORT', '65536'],
    ['MILLRACE_PROXY_PORT', '80.5'],
    ['MILLRACE_PROXY_PORT', 'http'],
    ['MILLRACE_CONTROL_PORT', '-1'],
    ['MILLRACE_CONTROL_PORT', ' '],
    ['MILLRACE_CONTROL_PORT', '0x10'],
    ['MILLRACE_HOST', 'a b'],
    ['MILLRACE_DATABASE_URL', 'mysql://secret@host/db'],
    ['MILLRACE_DATABASE_URL', 'not a url'],
    ['MILLRACE_REDIS_URL', '127.0.0.1:6379'],
    ['MILLRACE_REDIS_URL', 'http://127.0.0.1:6379'],
    ['MILLRACE_REDIS_URL', 'redis://'],
    ['MILLRACE_REDIS_URL', 'redis://127.0.0.1/cache'],
    ['MILLRACE_REDIS_URL', 'redis://:100%secret@127.0.0.1'],
    ['MILLRACE_CONTROL_URL', 'http://control.example'],
    ['MILLRACE_CONTROL_URL', 'ftp://127.0.0.1'],
    ['MILLRACE_MASTER_KEY', 'c2hvcnQ='],
    ['MILLRACE_ADMIN_KEY', 'short'],
    ['MILLRACE_MAX_BODY_BYTES', '1'],
    ['MILLRACE_DRAIN_SECONDS', 'soon'],
    ['MILLRACE_PRIVATE_UPSTREAMS', 'yes'],
    ['MILLRACE_LOG_LEVEL', 'loud'],
    ['MILLRACE_PROXY_PROT', '1'],
  ] as const) {
    it(`refuses ${name}=${value} in one line that names it`, () => {
      assert.throws(
        () => readSettings({ [name]: value }),
        (error) =>
          error instanceof SettingsError &&
          error.message.startsWith(`${name}: `) &&
          !error.message.includes('\n') &&
          !error.message.includes('secret@'),
      )
    })
  }
})

describe('envReferenceAllowed', () => {
  it("lets globs decide, and never gives out Millrace's own", () => {
    assert.equal(envReferenceAllowed('OPENAI_API_KEY', ['*_API_KEY']), true)
    assert.equal(envReferenceAllowed('HOME', ['*_API_KEY']), false)
    assert.equal(envReferenceAllowed('MILLRACE_MASTER_KEY', ['*']), false)
    assert.equal(envReferenceAllowed('ANYTHING', ['*']), true)
    assert.equal(envReferenceAllowed('ANYTHING', []), false)
  })
})
