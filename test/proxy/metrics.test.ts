/** Who may read `/metrics`, and what stands there. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import { send, type Answer } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'

const NAMES = [
  'millrace_requests_total',
  'millrace_request_duration_seconds',
  'millrace_time_to_first_token_seconds',
  'millrace_overhead_seconds',
  'millrace_tokens_total',
  'millrace_cost_usd_total',
  'millrace_attempts_total',
  'millrace_in_flight',
  'millrace_records_queued',
  'millrace_records_dropped_total',
  'millrace_records_spooled',
  'millrace_live_events_dropped_total',
  'millrace_debug_exchanges_dropped_total',
  'millrace_spans_dropped_total',
  'millrace_config_revision',
  'millrace_breaker_state',
  'millrace_cache_total',
  'millrace_cache_entries',
  'millrace_cache_bytes',
  'millrace_cache_unreadable_total',
  'millrace_cache_skipped_total',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
]

// A load balancer on this machine says where requests come from.
const scene = useScene({ proxyEnv: { MILLRACE_TRUSTED_PROXIES: '127.0.0.1' } })

function read(headers: Record<string, string>): Promise<Answer> {
  return send(`${scene.gateway.proxy.url}/metrics`, { method: 'GET', headers })
}

const from = (address: string, key?: string): Promise<Answer> =>
  read({ 'x-forwarded-for': address, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) })

async function keyOf(role: string): Promise<string> {
  const { createAdminKey: made } = await scene.gateway.control.gql<{ createAdminKey: { secret: string } }>(
    'mutation ($name: String!, $role: Role!) { createAdminKey(name: $name, role: $role) { secret } }',
    { name: uniqueName('key'), role },
  )
  return made.secret
}

suite('/metrics', () => {
  test('tells this machine, in the text that Prometheus reads', async () => {
    for (const answer of [await read({}), await from('127.0.0.1'), await from('::1')]) {
      assert.equal(answer.status, 200)
      assert.match(answer.headers['content-type']!, /^text\/plain; version=0\.0\.4/)
      for (const name of NAMES) assert.match(answer.text, new RegExp(`^# TYPE ${name} (gauge|counter|histogram)$`, 'm'))
      assert.match(answer.text, new RegExp(`^millrace_config_revision ${await scene.gateway.revision()}$`, 'm'))
      assert.match(answer.text, /^millrace_breaker_state\{provider="scene-provider"\} 0$/m)
    }
  })

  test('tells others that bring a key which reads', async () => {
    for (const address of ['203.0.113.7', '2001:db8::7', '127.0.0.1, 203.0.113.7']) {
      const refused = await from(address)
      assert.equal(refused.status, 401, address)
      assert.ok(!refused.text.includes('millrace_in_flight'))
      assert.equal(refused.headers['www-authenticate'], 'Bearer')
    }
    for (const role of ['VIEWER', 'EDITOR', 'ADMIN'])
      assert.equal((await from('203.0.113.7', await keyOf(role))).status, 200, role)
    assert.equal((await from('203.0.113.7', await keyOf('PROXY'))).status, 403)
    assert.equal((await from('203.0.113.7', 'mr-no-such-key')).status, 401)
    assert.equal((await from('203.0.113.7', scene.gateway.token)).status, 401)
    assert.equal((await from('203.0.113.7', '')).status, 401)
  })

  test('knows a key for a while, with control away too', async () => {
    const secret = await keyOf('VIEWER')
    assert.equal((await from('203.0.113.7', secret)).status, 200)
    await scene.gateway.control.stop()
    assert.equal((await from('203.0.113.7', secret)).status, 200)
    const unknown = await from('203.0.113.7', 'another-key')
    assert.equal(unknown.status, 503)
    assert.equal(unknown.headers['retry-after'], '1')
    assert.equal((await read({})).status, 200)
    await scene.gateway.control.restart()
  })
})
