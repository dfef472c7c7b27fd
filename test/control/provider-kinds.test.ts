/** What each kind of provider takes, as an operator sets it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startControl } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import type { Stage } from './suites.ts'

const AZURE = { kind: 'AZURE_OPENAI', baseUrl: 'https://acme.openai.azure.com' }
const COMPATIBLE = { kind: 'OPENAI_COMPATIBLE', baseUrl: 'http://127.0.0.1:9/v1' }
const ACCESS = 'AKIAIOSFODNN7EXAMPLE'
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

describe('kinds of providers', () => {
  const stage = { kind: 'PGlite' } as Stage
  const { ask, refused, provider, publishedProvider } = operatorOf(stage)
  const update = (id: string, input: object): Promise<any> => ask(documents.UPDATE_PROVIDER, { id, input })
  before(async () => {
    stage.control = await startControl({})
  })
  after(() => stage.control[Symbol.asyncDispose]())

  for (const [kind, settings, baseUrl] of [
    ['OPENAI', {}, 'https://api.openai.com/v1'],
    ['ANTHROPIC', {}, 'https://api.anthropic.com'],
    ['GEMINI', {}, 'https://generativelanguage.googleapis.com/v1beta'],
    ['BEDROCK', {}, 'https://bedrock-runtime.us-east-1.amazonaws.com'],
    ['BEDROCK', { region: 'eu-central-1' }, 'https://bedrock-runtime.eu-central-1.amazonaws.com'],
    ['BEDROCK', { region: 'cn-north-1' }, 'https://bedrock-runtime.cn-north-1.amazonaws.com.cn'],
    ['OPENAI_COMPATIBLE', { preset: 'groq' }, 'https://api.groq.com/openai/v1'],
    ['SIMULATED', {}, null],
  ] as const) {
    test(`${kind} ${JSON.stringify(settings)} lives at ${baseUrl} unless set`, async () => {
      const made = await provider({ kind, settings })
      assert.deepEqual([made.kind, made.baseUrl, made.settings], [kind, baseUrl, settings])
      const { kind: toldKind, baseUrl: toldUrl, settings: toldSettings } = await publishedProvider(made.id)
      assert.deepEqual([toldKind, toldUrl, toldSettings], [kind, baseUrl, settings])
    })
  }

  test('AZURE_OPENAI has its own address and versions', async () => {
    const { id, settings } = await provider({ ...AZURE, settings: { apiVersion: '2024-10-21' } })
    assert.deepEqual(settings, { apiVersion: '2024-10-21' })
    assert.deepEqual((await update(id, { settings: { apiVersion: null } })).settings, {})
  })

  for (const [input, field] of [
    [{ kind: 'AZURE_OPENAI' }, 'baseUrl'],
    [{ ...AZURE, settings: { apiVersion: '2024 10' } }, 'settings.apiVersion'],
    [{ kind: 'OPENAI_COMPATIBLE' }, 'baseUrl'],
    [{ kind: 'OPENAI_COMPATIBLE', settings: { preset: 'nobody' } }, 'settings.preset'],
    [{ kind: 'OPENAI', settings: { preset: 'groq' } }, 'settings.preset'],
    [{ kind: 'OPENAI', settings: { apiVersion: '2024-10-21' } }, 'settings.apiVersion'],
    [{ kind: 'ANTHROPIC', settings: { passthrough: {} } }, 'settings.passthrough'],
    [{ kind: 'GEMINI', settings: { region: 'us-east-1' } }, 'settings.region'],
    [{ kind: 'BEDROCK', settings: { region: 'Frankfurt' } }, 'settings.region'],
    [{ kind: 'BEDROCK', settings: { region: 'us-east-1.evil.example' } }, 'settings.region'],
    [{ kind: 'SIMULATED', baseUrl: 'http://127.0.0.1:9' }, 'baseUrl'],
    [{ kind: 'ANTHROPIC', apiKeys: ['sk-ant-one\nsk-ant-two'] }, 'apiKeys.0'],
    [{ kind: 'GEMINI', apiKeys: ['AIza-good', ' '] }, 'apiKeys.1'],
    [{ kind: 'BEDROCK', apiKeys: [ACCESS] }, 'apiKeys.0'],
    [{ kind: 'BEDROCK', apiKeys: [`${ACCESS}:${SECRET}:a:b`] }, 'apiKeys.0'],
    [{ kind: 'BEDROCK', apiKeys: [JSON.stringify({ accessKeyId: ACCESS })] }, 'apiKeys.0'],
  ] as const) {
    test(`refused: ${JSON.stringify(input).replaceAll(SECRET, '…').slice(0, 90)}`, async () => {
      const whole = { name: uniqueName('bad'), ...input }
      const message = await refused('BAD_USER_INPUT', `input.${field}`, documents.CREATE_PROVIDER, { input: whole })
      for (const secret of [ACCESS, SECRET, 'sk-ant']) assert.ok(!message.includes(secret), message)
    })
  }

  test('BEDROCK takes an API key, and keys to sign with in each form, one being the same as another', async () => {
    const { id } = await provider({
      kind: 'BEDROCK',
      apiKeys: [
        'ABSKQmVkcm9ja0FQSUtleS0x',
        `${ACCESS}:${SECRET}`,
        `${ACCESS}:${SECRET}:FwoGZXIvYXdzEBY`,
        'env:AWS_API_KEY',
      ],
    })
    const add = (apiKey: string) => ask(documents.ADD_CREDENTIAL, { provider: id, input: { apiKey } })
    const keys = { accessKeyId: ACCESS, secretAccessKey: SECRET }
    await add(JSON.stringify(keys, null, 2))
    await refused('CONFLICT', undefined, documents.ADD_CREDENTIAL, {
      provider: id,
      input: { apiKey: JSON.stringify({ AccessKeyId: ACCESS, SecretAccessKey: SECRET }) },
    })
    await refused('BAD_USER_INPUT', 'input.apiKey', documents.ADD_CREDENTIAL, { provider: id, input: { apiKey: '{}' } })
  })

  test('a key of another kind may look as it likes', async () => {
    const { credentials } = await provider({ ...COMPATIBLE, apiKeys: [ACCESS, 'a:b:c:d:e'] })
    assert.equal(credentials.length, 2)
  })

  test('another region leads elsewhere, and takes no key along', async () => {
    const { id } = await provider({ kind: 'BEDROCK', apiKeys: ['ABSKQmVkcm9ja0FQSUtleS0x'] })
    const same = await update(id, { settings: { region: 'us-east-1' } })
    assert.deepEqual([same.credentials[0].enabled, same.settings], [true, { region: 'us-east-1' }])
    const moved = await update(id, { settings: { region: 'eu-west-1' } })
    assert.equal(moved.baseUrl, 'https://bedrock-runtime.eu-west-1.amazonaws.com')
    assert.equal(moved.credentials[0].enabled, false)
    await refused('CONFLICT', undefined, documents.SET_CREDENTIAL_ENABLED, {
      id: moved.credentials[0].id,
      enabled: true,
    })
  })

  test('another preset leads elsewhere, and takes no key along', async () => {
    const { id } = await provider({ kind: 'OPENAI_COMPATIBLE', settings: { preset: 'groq' }, apiKeys: ['gsk-groq'] })
    const moved = await update(id, { settings: { preset: 'mistral' } })
    assert.deepEqual([moved.baseUrl, moved.credentials[0].enabled], ['https://api.mistral.ai/v1', false])
    assert.equal((await publishedProvider(id)).baseUrl, 'https://api.mistral.ai/v1')
    const without = { id, input: { settings: { preset: null } } }
    await refused('BAD_USER_INPUT', 'input.baseUrl', documents.UPDATE_PROVIDER, without)
    const own = await update(id, { baseUrl: 'http://127.0.0.1:9/v1', settings: { preset: null } })
    assert.deepEqual([own.baseUrl, own.settings], ['http://127.0.0.1:9/v1', {}])
    assert.equal(
      (await update(id, { settings: { preset: 'groq' } })).baseUrl,
      'http://127.0.0.1:9/v1',
      'what is set stays',
    )
    await refused('BAD_USER_INPUT', 'input.baseUrl', documents.UPDATE_PROVIDER, {
      id: (await provider({ kind: 'AZURE_OPENAI', baseUrl: AZURE.baseUrl })).id,
      input: { baseUrl: null },
    })
  })

  test('an address of its own stays whatever the region, until it is cleared', async () => {
    const own = 'https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com'
    const { id } = await provider({ kind: 'BEDROCK', baseUrl: own, apiKeys: ['ABSKQmVkcm9ja0FQSUtleS0x'] })
    const signed = await update(id, { settings: { region: 'eu-west-1' } })
    assert.deepEqual([signed.baseUrl, signed.credentials[0].enabled], [own, true])
    const cleared = await update(id, { baseUrl: null })
    assert.equal(cleared.baseUrl, 'https://bedrock-runtime.eu-west-1.amazonaws.com')
    assert.equal(cleared.credentials[0].enabled, false)
  })
})
