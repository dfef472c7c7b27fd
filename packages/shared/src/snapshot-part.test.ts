import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { DEFAULT_ACCESS } from './access.ts'
import { newId } from './id.ts'
import { MOST_IN_PART, parseSnapshotPart, partsOf, wholeTransfer, type TransferContents } from './snapshot-part.ts'
import type { SnapshotProject, SnapshotToken } from './snapshot.ts'

const projectId = newId()
const project = (): SnapshotProject => ({
  id: newId(),
  name: 'p',
  active: true,
  limits: null,
  budget: null,
  used: null,
})
const token = (more: Partial<SnapshotToken> = {}): SnapshotToken => ({
  id: newId(),
  name: 'a token',
  projectId,
  secrets: [{ prefix: 'sk-mr-abcdefghijkl', digest: 'a'.repeat(64), until: null }],
  revoked: false,
  expiresAt: null,
  maxRequests: null,
  limits: null,
  budget: null,
  used: null,
  access: null,
  ...more,
})
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
const transfer = (contents: Partial<TransferContents>): TransferContents => ({
  revision: 7,
  mark: 'm',
  since: 5,
  replaces: ['projects'],
  providers: [],
  aliases: [],
  projects: [],
  tokens: [],
  removedTokens: [],
  ...contents,
})

suite('a transfer', () => {
  test('is cut into parts that hold all of it, in order, and say when it is whole', () => {
    const contents = transfer({ projects: times(3, project), tokens: times(5, token), removedTokens: times(2, newId) })
    for (const most of [1, 2, 3, 4, 9, 10, 11]) {
      const parts = [...partsOf(contents, most)]
      assert.equal(parts.length, Math.ceil(10 / most), `${most} in a part`)
      for (const [index, part] of parts.entries()) {
        assert.deepEqual(parseSnapshotPart(JSON.parse(JSON.stringify(part))), part)
        assert.deepEqual([part.index, part.last], [index, index === parts.length - 1])
        assert.deepEqual([part.revision, part.mark, part.since, part.replaces], [7, 'm', 5, ['projects']])
        const things = [part.projects, part.tokens, part.removedTokens].map(({ length }) => length)
        assert.ok(things.reduce((sum, length) => sum + length) <= most)
      }
      for (const list of ['projects', 'tokens', 'removedTokens'] as const)
        assert.deepEqual(
          parts.flatMap((part) => part[list]),
          contents[list],
        )
    }
  })

  test('of nothing is one part', () => {
    const [part, ...more] = partsOf(transfer({ since: 7, replaces: [] }))
    assert.deepEqual([part!.index, part!.last, more.length], [0, true, 0])
  })

  test('has few things in a part where they are large, and one that is too large alone', () => {
    const models = (count: number) => times(count, () => 'x'.repeat(200))
    const large = (count: number) => token({ access: { ...DEFAULT_ACCESS, models: models(count) } })
    const tokens = [...times(10, () => large(10)), large(100), ...times(10, () => large(10))]
    const parts = [...partsOf(transfer({ tokens }), MOST_IN_PART, 10_000)]
    assert.deepEqual(
      parts.map((part) => part.tokens.length),
      [3, 3, 3, 1, 1, 3, 3, 3, 1],
    )
  })

  test('can be whole', () => {
    const snapshot = { revision: 3, providers: [], aliases: [], projects: [project()], tokens: [token()] }
    const [part] = partsOf(wholeTransfer(snapshot, 'm'))
    assert.deepEqual(
      [part!.since, part!.replaces, part!.tokens],
      [null, ['routing', 'projects', 'tokens'], snapshot.tokens],
    )
  })

  test('is made as it is asked for: what was not asked for costs nothing', () => {
    let reads = 0
    const tokens = times(5_000, token)
    const counted = tokens.map((one) => new Proxy(one, { get: (target, key) => (reads++, Reflect.get(target, key)) }))
    const parts = partsOf(transfer({ tokens: counted }))
    parts.next()
    assert.equal(reads, MOST_IN_PART, 'one look at each that is in the first part')
  })
})
