/** What lists of records are asked that can't be, or that there is nothing of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { INGEST_RECORDS_MUTATION, newId } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const LISTS = {
  requests: 'RequestFilter',
  routeDecisions: 'DecisionFilter',
} as const
type List = keyof typeof LISTS

const documentOf = (list: List): string => `query ($filter: ${LISTS[list]}, $first: Int, $after: String) {
  it: ${list}(filter: $filter, first: $first, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } }
}`

await onEachDatabase((stage) => {
  const ask = async (list: List, variables: object): Promise<any> => {
    const { it } = await stage.control.gql(documentOf(list), { ...variables })
    return it
  }
  const refused = (list: List, variables: object, field: string, message: RegExp): Promise<void> =>
    assert.rejects(ask(list, variables), { code: 'BAD_USER_INPUT', field, message })

  for (const list of Object.keys(LISTS) as List[]) {
    test(`${list}: nothing is meant`, async () => {
      for (const filter of [{ project: newId() }, { token: newId() }, { errorClass: 'none' }, { requestId: 'none' }]) {
        const { edges, pageInfo } = await ask(list, { filter })
        assert.deepEqual([edges, { ...pageInfo }], [[], { hasNextPage: false, endCursor: null }])
      }
    })

    test(`${list}: a page is of 1 to 500`, async () => {
      for (const first of [1_000_000, 501, 0, -1]) await refused(list, { first }, 'first', /from 1 to 500/)
      await refused(list, { first: 2 ** 31 }, 'first', /32 bits/)
    })

    test(`${list}: a text of a megabyte is not looked for`, async () => {
      const long = 'x'.repeat(1_048_576)
      await refused(list, { filter: { requestId: long } }, 'filter.requestId', /at most 4096 characters/)
      await refused(list, { filter: { errorClass: long } }, 'filter.errorClass', /at most 4096 characters/)
      await refused(list, { after: long }, 'after', /is not a cursor of this list/)
    })

    test(`${list}: a cursor may stand at any moment that there is, and at no other`, async () => {
      const cursor = (at: string): string => Buffer.from(JSON.stringify([list, at, newId()])).toString('base64url')
      for (const year of ['0001', '9999']) await ask(list, { after: cursor(`${year}-12-31T23:59:59.999Z`) })
      for (const at of ['2026-02-30T00:00:00.000Z', '0000-01-01T00:00:00.000Z', '2026-01-01', 'x'])
        await refused(list, { after: cursor(at) }, 'after', /is not a cursor of this list/)
    })

    test(`${list}: a cursor of another list is refused`, async () => {
      const record = sample()
      await stage.control.gql(INGEST_RECORDS_MUTATION, { records: [record] }, stage.control.proxyKey)
      await stage.control.gql(documents.CREATE_PROJECT, { input: { name: uniqueName('project') } })
      const { tokens, auditEvents, configRevisions, requests, routeDecisions } = await stage.control.gql(`{
        tokens(first: 1) { edges { cursor } } auditEvents(first: 1) { edges { cursor } }
        configRevisions(first: 1) { edges { cursor } }
        requests(first: 1) { edges { cursor } } routeDecisions(first: 1) { edges { cursor } }
      }`)
      const lists = { tokens, auditEvents, configRevisions, requests, routeDecisions }
      for (const [other, { edges }] of Object.entries(lists)) {
        const after = edges[0].cursor
        if (other === list) await ask(list, { after, filter: { errorClass: 'none' } })
        else await refused(list, { after }, 'after', new RegExp(`is a cursor of ${other}, not of ${list}`))
      }
    })
  }

  test('a long search is refused, and one of what can be searched finds it', async () => {
    const [model, requestId] = [uniqueName('SEARCHED'), newId()]
    const errorMessage = `${'x'.repeat(280)} 100% \\of_it ${'y'.repeat(300)} end`
    const record = sample({ model, requestId, errorMessage, status: 'ERROR', errorClass: 'e', userKey: 'Grüße 😀' })
    await stage.control.gql(INGEST_RECORDS_MUTATION, { records: [record] }, stage.control.proxyKey)
    const find = async (search: string): Promise<string[]> =>
      (await ask('requests', { filter: { search, requestId } })).edges.map(({ node }: any) => node.id)
    for (const search of [
      model.toLowerCase(),
      requestId.slice(3, 30),
      '100% \\of_it',
      'GRÜSSE'.replace('SS', 'ß'),
      '😀',
      '',
    ])
      assert.deepEqual(await find(search), [record.id], search)
    for (const search of ['y end', '100_ ', 'nothing']) assert.deepEqual(await find(search), [], search)
    await refused('requests', { filter: { search: 'x'.repeat(1_048_576) } }, 'filter.search', /at most 4096 characters/)
    await refused('requests', { filter: { model: 'x'.repeat(4_097) } }, 'filter.model', /at most 4096 characters/)
  })
})
