import assert from 'node:assert/strict'
import { test } from 'node:test'

import { PROVIDER_SETTINGS } from '@millrace/shared'

import { ResponsesModels } from './responses-models.ts'

const CHAT = '/v1/chat/completions'

test('models of the list are asked by the Responses API alone', () => {
  const models = new ResponsesModels(['o1-pro', '*codex*'])
  for (const model of ['o1-pro', 'gpt-5.3-codex', 'codex-mini-latest']) {
    assert.equal(models.wireFor(model)?.wire.pathOf(model, false), '/responses')
    assert.equal(models.shuts(CHAT, model), true)
    assert.equal(models.shuts('/v1/completions', model), true)
    assert.equal(models.shuts('/v1/embeddings', model), false)
    assert.equal(models.opens('/v1/responses', model), true)
    assert.equal(models.opens(CHAT, model), false)
  }
  assert.equal(models.wireFor('gpt-5'), null)
  assert.equal(models.shuts(CHAT, 'gpt-5'), false)
  assert.equal(models.opens('/v1/responses', 'gpt-5'), false)
})

test('OpenAI’s own are known, and no provider’s other models are', () => {
  const models = new ResponsesModels(PROVIDER_SETTINGS.OPENAI.parse({}).responsesModels)
  for (const model of [
    'o3-pro',
    'gpt-5-pro-2025-10-06',
    'gpt-5.2-codex',
    'o4-mini-deep-research',
    'computer-use-preview',
  ]) {
    assert.equal(models.shuts(CHAT, model), true, model)
  }
  for (const model of ['gpt-5.2', 'gpt-4o', 'o3', 'gpt-4.1-mini']) assert.equal(models.shuts(CHAT, model), false, model)
  assert.equal(new ResponsesModels(PROVIDER_SETTINGS.OPENAI.parse({ responsesModels: [] }).responsesModels).some, false)
  assert.equal(new ResponsesModels(PROVIDER_SETTINGS.OPENAI_COMPATIBLE.parse({}).responsesModels).some, false)
})
