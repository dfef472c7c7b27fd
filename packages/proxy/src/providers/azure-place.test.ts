import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { AzurePlace } from './azure-place.ts'

const RESOURCE = 'https://res.openai.azure.com'

const chatUrl = (baseUrl: string, version: string | null, model = 'gpt-x'): string => {
  const place = new AzurePlace(baseUrl, version)
  const path = place.version === null ? '/chat/completions' : place.pathOf('/chat/completions', model)
  return place.origin + place.prefix + path
}

describe('where Azure is asked', () => {
  for (const end of ['', '/', '/openai', '/openai/', '/openai/v1', '/openai/v1/']) {
    it(`without a version: ${RESOURCE}${end}`, () => {
      assert.equal(chatUrl(RESOURCE + end, null), `${RESOURCE}/openai/v1/chat/completions`)
    })
    it(`with a version: ${RESOURCE}${end}`, () => {
      assert.equal(
        chatUrl(RESOURCE + end, '2024-10-21'),
        `${RESOURCE}/openai/deployments/gpt-x/chat/completions?api-version=2024-10-21`,
      )
    })
  }

  for (const version of ['v1', 'preview', 'latest']) {
    it(`by the v1 API's own version ${version}, which it does without`, () => {
      assert.equal(chatUrl(RESOURCE, version), `${RESOURCE}/openai/v1/chat/completions`)
    })
  }

  for (const [baseUrl, version, expected] of [
    [
      `${RESOURCE}/openai/deployments/own`,
      '2024-06-01',
      '/openai/deployments/own/chat/completions?api-version=2024-06-01',
    ],
    [
      `${RESOURCE}/openai/deployments/own/chat/completions?api-version=2025-01-01-preview`,
      null,
      '/openai/deployments/own/chat/completions?api-version=2025-01-01-preview',
    ],
    [`${RESOURCE}/openai/deployments/own/`, null, '/openai/deployments/own/chat/completions?api-version=2024-10-21'],
  ] as const) {
    it(`at the one deployment that is named: ${baseUrl}`, () => {
      assert.equal(chatUrl(baseUrl, version, 'other'), RESOURCE + expected)
    })
  }

  it('by what the portal calls the target URI of a model that has Responses alone', () => {
    const place = new AzurePlace(`${RESOURCE}/openai/responses?api-version=2025-04-01-preview`, null)
    assert.equal(
      place.origin + place.prefix + place.responsesPathOf('own'),
      `${RESOURCE}/openai/responses?api-version=2025-04-01-preview`,
    )
    assert.equal(chatUrl(`${RESOURCE}/openai/v1/responses`, null), `${RESOURCE}/openai/v1/chat/completions`)
  })

  it('below what stands before a resource', () => {
    assert.equal(
      chatUrl('https://gate.example/team/openai/v1', null),
      'https://gate.example/team/openai/v1/chat/completions',
    )
    for (const team of ['https://gate.example/team', 'https://gate.example/responses']) {
      assert.equal(chatUrl(team, null), `${team}/openai/v1/chat/completions`)
    }
  })

  it('nowhere else, whatever a model is called', () => {
    for (const [model, segment] of [
      ['..', '%2E%2E'],
      ['a/../b', 'a%2F..%2Fb'],
      ['a?b#c', 'a%3Fb%23c'],
      ['\ud800', '%EF%BF%BD'],
    ] as const) {
      assert.equal(
        chatUrl(RESOURCE, '2024-10-21', model),
        `${RESOURCE}/openai/deployments/${segment}/chat/completions?api-version=2024-10-21`,
      )
    }
  })

  for (const [baseUrl, version, expected] of [
    [RESOURCE, '2025-03-01-preview', true],
    [RESOURCE, '2025-04-01-preview', true],
    [RESOURCE, '2025-02-01-preview', false],
    [RESOURCE, '2024-10-21', false],
    [RESOURCE, 'tomorrow', false],
    [`${RESOURCE}/openai/deployments/a%20b`, '2025-04-01-preview', true],
    [`${RESOURCE}/openai/deployments/other`, '2025-04-01-preview', false],
    [`${RESOURCE}/openai/deployments/a%20b`, null, false],
  ] as const) {
    it(`${expected ? 'for' : 'for no'} Responses of its model: ${baseUrl}, ${version}`, () => {
      const path = new AzurePlace(baseUrl, version).responsesPathOf('a b')
      assert.equal(path, expected ? `/responses?api-version=${version}` : null)
    })
  }

  it('for what is passed on', () => {
    const place = new AzurePlace(RESOURCE, '2024-10-21')
    const passed = (path: string, query: string, model: string): string => place.passedPathOf(path, query, model)
    assert.equal(passed('/images/generations', '', 'img'), '/deployments/img/images/generations?api-version=2024-10-21')
    assert.equal(passed('/files', '?limit=1', ''), '/files?limit=1&api-version=2024-10-21')
    assert.equal(passed('/files', '?api-version=x', 'm'), '/files?api-version=x')
    assert.equal(passed('/responses/resp_1', '', ''), '/responses/resp_1?api-version=2024-10-21')
  })
})
