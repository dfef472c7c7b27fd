import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { knownModels } from './known-models.ts'

describe('the models that are known of a provider', () => {
  for (const [kind, baseUrl, model] of [
    ['OPENAI', null, 'gpt-4o-mini'],
    ['OPENAI', 'https://openai.example.com/v1', 'text-embedding-3-small'],
    ['ANTHROPIC', null, 'claude-sonnet-4-5'],
    ['GEMINI', null, 'gemini-2.5-flash'],
    ['BEDROCK', null, 'amazon.nova-lite-v1:0'],
    ['OPENAI_COMPATIBLE', 'https://api.groq.com/openai/v1', 'llama-3.1-8b-instant'],
  ] as const) {
    it(`are, of ${kind} at ${baseUrl}, ${model} and others`, () => {
      const models = knownModels({ kind, baseUrl })
      assert.ok(models.includes(model), models.join(' '))
      assert.ok(models.length > 10)
      assert.equal(new Set(models).size, models.length)
      assert.equal(knownModels({ kind, baseUrl }), models, 'they are found once')
    })
  }

  it('are no beginnings of names', () => {
    const models = knownModels({ kind: 'OPENAI', baseUrl: null })
    assert.deepEqual(
      models.filter((name) => name.endsWith('-')),
      [],
    )
  })

  for (const [kind, baseUrl] of [
    ['OPENAI_COMPATIBLE', 'http://127.0.0.1:1/v1'],
    ['OPENAI_COMPATIBLE', null],
    ['AZURE_OPENAI', 'https://x.openai.azure.com'],
    ['SIMULATED', null],
    ['toString', null],
  ] as const) {
    it(`are none of ${kind} at ${baseUrl}`, () => assert.deepEqual(knownModels({ kind, baseUrl }), []))
  }
})
