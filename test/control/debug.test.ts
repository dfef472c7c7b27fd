/** Debug captures at the control plane: what proxies are told, what is stored of what they send, and who may look at it. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'

import { MAX_DEBUG_BATCH, newId, type DebugExchange } from '@millrace/shared'

import { createProject, createToken } from '../helpers/configuration.ts'
import { uniqueName } from '../helpers/names.ts'
import { find, Following, PAGE, READ, SET, store } from './debug/capturing.ts'
import { sampleExchange } from './debug/sample-exchange.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

const EVENTS = `query ($action: String) { it: auditEvents(filter: { action: $action }) {
  edges { node { actor action subject result details project { id } } }
} }`
const BOUND_KEY =
  'mutation ($name: String!, $projects: [ID!]) { it: createAdminKey(name: $name, role: ADMIN, projects: $projects) { secret } }'

await onEachDatabase((stage) => {
  const { ask, refused } = operatorOf(stage)
  const events = async (action: string): Promise<any[]> =>
    (await ask(EVENTS, { action })).edges.map(({ node }: any) => node)
  let project: string
  let token: string
  before(async () => {
    project = await createProject(stage.control)
    token = (await createToken(stage.control, { project })).id
  })

  test('nothing is captured, nor stored, before anybody has asked for it', async () => {
    assert.deepEqual(await ask(READ), {
      enabled: false,
      maxBodyBytes: 65_536,
      retentionHours: 24,
      until: null,
      tokens: null,
      models: null,
    })
    await using proxy = new Following(stage.control)
    assert.equal((await proxy.until(() => true)).enabled, false)
    const exchange = sampleExchange()
    assert.equal(await store(stage.control, [exchange]), 0)
    assert.equal(await find(stage.control, exchange.id), null)
  })

  test('is set as a whole, told to proxies, audited, and no revision; it outlives the process', async () => {
    const { number } = await ask(documents.NEWEST_REVISION)
    const proxy = new Following(stage.control)
    const began = Date.now()
    const set = {
      maxBodyBytes: 1_000,
      retentionHours: 2,
      minutes: 30,
      tokens: [token.toUpperCase()],
      models: ['gpt-*'],
    }
    const captured = await ask(SET, { enabled: true, ...set })
    const { minutes: _, ...rest } = { ...set, tokens: [token] }
    const { until, ...others } = captured
    assert.deepEqual(others, { enabled: true, ...rest })
    const remaining = Date.parse(until) - began
    assert.ok(remaining > 29 * 60_000 && remaining < 31 * 60_000, until)
    const told = await proxy.until(({ enabled }) => enabled)
    const { remainingMs, ...what } = told
    assert.deepEqual(what, {
      enabled: true,
      maxBodyBytes: 1_000,
      retentionHours: 2,
      tokens: [token],
      models: ['gpt-*'],
    })
    assert.ok(remainingMs! > 29 * 60_000 && remainingMs! <= 30 * 60_000, String(remainingMs))
    await proxy[Symbol.asyncDispose]()

    await stage.control.restart()
    assert.deepEqual(await ask(READ), captured)
    await using again = new Following(stage.control)
    assert.ok((await again.until(() => true)).enabled)

    const off = await ask(SET, { enabled: false })
    assert.deepEqual(off, {
      enabled: false,
      maxBodyBytes: 65_536,
      retentionHours: 24,
      until: null,
      tokens: null,
      models: null,
    })
    await again.until(({ enabled }) => !enabled)
    assert.equal((await ask(documents.NEWEST_REVISION)).number, number)
    const [last, first] = await events('setDebugCapture')
    assert.deepEqual([first.actor, first.subject, first.result], ['first admin', 'debug capture', 'SUCCESS'])
    const { adminKey: _key, ...details } = first.details
    assert.deepEqual(details, { enabled: true, ...set, tokens: [token] })
    assert.equal(last.details.enabled, false)
  })

  test('ends after an hour unless told otherwise', async () => {
    const { until } = await ask(SET, { enabled: true })
    const minutes = (Date.parse(until) - Date.now()) / 60_000
    assert.ok(minutes > 58 && minutes < 61, until)
  })

  describe('is refused', () => {
    for (const [given, field, code = 'BAD_USER_INPUT'] of [
      [{ maxBodyBytes: -1 }, 'maxBodyBytes'],
      [{ maxBodyBytes: 1_048_577 }, 'maxBodyBytes'],
      [{ maxBodyBytes: 2 ** 40 }, 'maxBodyBytes'],
      [{ retentionHours: 0 }, 'retentionHours'],
      [{ retentionHours: 169 }, 'retentionHours'],
      [{ minutes: 0 }, 'minutes'],
      [{ minutes: 10_081 }, 'minutes'],
      [{ tokens: [] }, 'tokens'],
      [{ tokens: ['no id'] }, 'tokens.0'],
      [{ tokens: Array(1_001).fill(newId()) }, 'tokens'],
      [{ tokens: [newId()] }, 'tokens.0', 'NOT_FOUND'],
      [{ models: [] }, 'models'],
      [{ models: ['good', ''] }, 'models.1'],
      [{ models: ['a\0'] }, 'models.0'],
      [{ models: Array(101).fill('x') }, 'models'],
    ] as [Record<string, unknown>, string, string?][])
      test(JSON.stringify(given).slice(0, 60), async () => {
        const set = await ask(READ)
        for (const enabled of [true, false]) await refused(code, field, SET, { enabled, ...given })
        assert.deepEqual(await ask(READ), set)
      })
  })

  test('an exchange is stored once, and read as it came; each reading is audited, and tells nothing of what was said', async () => {
    await ask(SET, { enabled: true, retentionHours: 3 })
    const mark = uniqueName('only-in-exchanges')
    const exchange = sampleExchange({
      projectId: project,
      tokenId: token,
      requestBody: `${mark} \u{1f600} \0`,
      retentionHours: 2,
    })
    assert.equal(await store(stage.control, [exchange]), 1)
    assert.equal(await store(stage.control, [{ ...exchange, requestBody: 'another' }, sampleExchange()]), 2)
    const { expiresAt, ...found } = await find(stage.control, exchange.id.toUpperCase())
    const { projectId: _project, tokenId: _token, retentionHours: _hours, ...as } = exchange
    assert.deepEqual(found, {
      ...as,
      requestBody: `${mark} \u{1f600} \uFFFD`,
      project: { id: project },
      token: { id: token },
    })
    const hours = (Date.parse(expiresAt) - Date.now()) / 3_600_000
    assert.ok(hours > 1.9 && hours < 2.1, expiresAt)

    assert.equal(await find(stage.control, newId()), null)
    assert.equal(await find(stage.control, 'no id'), null)
    const read = (await events('debugExchange')).filter(({ subject }) => subject === `exchange ${exchange.id}`)
    assert.equal(read.length, 1)
    assert.deepEqual([read[0].actor, read[0].result, read[0].project.id], ['first admin', 'SUCCESS', project])
    assert.deepEqual([read[0].details.exchange, read[0].details.requestId], [exchange.id, exchange.requestId])
    assert.ok(!JSON.stringify(await ask(documents.AUDIT)).includes(mark))
    const { stdout, stderr } = stage.control.output()
    assert.ok(!`${stdout}${stderr}`.includes(mark))
  })

  test('what is malformed is left out, and too many are refused', async () => {
    const good = sampleExchange()
    const bad = ['x', {}, { ...good, id: 'x' }, { ...good, id: newId(), requestBody: 'b'.repeat(1_048_577) }]
    assert.equal(await store(stage.control, [...bad, good]), 1)
    assert.equal(await store(stage.control, bad), 0)
    assert.equal(await store(stage.control, []), 0)
    const many = Array.from({ length: MAX_DEBUG_BATCH + 1 }, () => sampleExchange())
    await assert.rejects(store(stage.control, many), { code: 'BAD_USER_INPUT', field: 'exchanges' })
  })

  test('what was captured is found page by page, newest first', async () => {
    const exchanges: DebugExchange[] = Array.from({ length: 5 }, (_, i) =>
      sampleExchange({ projectId: project, responseStatus: 200 + i }),
    )
    assert.equal(await store(stage.control, exchanges), 5)
    const found: unknown[] = []
    let after: string | null = null
    for (let page = 0; page < 3; page++) {
      const { edges, pageInfo }: any = await ask(PAGE, { first: 2, after })
      found.push(...edges.map(({ node }: any) => node.id))
      after = pageInfo.endCursor
    }
    assert.deepEqual(
      found.slice(0, 5),
      exchanges
        .map(({ id }) => id)
        .sort()
        .toReversed(),
    )
    await refused('BAD_USER_INPUT', 'first', PAGE, { first: 501 })
    await refused('BAD_USER_INPUT', 'after', PAGE, { after: 'x' })
  })

  test('a key that is bound sees what is of its projects, and sets nothing', async () => {
    const own = await createProject(stage.control)
    const { secret } = await ask(BOUND_KEY, { name: uniqueName('bound'), projects: [own] })
    const tokens = [token, (await createToken(stage.control, { project: own })).id]
    await ask(SET, { enabled: true, tokens })
    const exchanges = [own, project, null].map((projectId) => sampleExchange({ projectId }))
    assert.equal(await store(stage.control, exchanges), 3)
    const seen = await Promise.all(exchanges.map(({ id }) => find(stage.control, id, secret)))
    assert.deepEqual(
      seen.map((one) => one?.id ?? null),
      [exchanges[0]!.id, null, null],
    )
    const { it: page } = await stage.control.gql(PAGE, {}, secret)
    assert.deepEqual(
      page.edges.map(({ node }: any) => node.id),
      [exchanges[0]!.id],
    )
    assert.deepEqual((await stage.control.gql(READ, {}, secret))['it'].tokens, [tokens[1]])
    for (const enabled of [true, false])
      await assert.rejects(stage.control.gql(SET, { enabled, tokens: [tokens[1]] }, secret), { code: 'FORBIDDEN' })
  })

  test('what was captured before it was turned off is stored for a while, and kept no longer than was said then', async () => {
    await ask(SET, { enabled: true, retentionHours: 1 })
    await ask(SET, { enabled: false })
    const exchange = sampleExchange({ retentionHours: 1 })
    assert.equal(await store(stage.control, [exchange]), 1)
    const { expiresAt } = await find(stage.control, exchange.id)
    assert.ok(Date.parse(expiresAt) - Date.now() < 1.1 * 3_600_000, expiresAt)
  })
})
