/** The house: who may import whom, how long a file may be, and what the hot path may not do. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { isHot, storedFunctions } from './architecture/hot-path.ts'
import { importFaults } from './architecture/imports.ts'
import { dependenciesOf, packageSources, parse, type Source } from './architecture/source.ts'

const LONGEST_FILE = 300

function lengthFaults({ path, text }: Source): string[] {
  const lines = text.trimEnd().split('\n').length
  return lines <= LONGEST_FILE
    ? []
    : [`${path} has ${lines} lines: a file holds one purpose, in ${LONGEST_FILE} lines at most. Split it by purpose`]
}

suite('the packages', () => {
  const sources = packageSources()
  const none = (faults: string[]): void => assert.ok(faults.length === 0, `\n${faults.join('\n')}\n`)

  test('are found', () => {
    for (const name of ['shared', 'control', 'proxy']) {
      assert.ok(
        sources.some(({ path }) => path.startsWith(`packages/${name}/src/`)),
        name,
      )
    }
    assert.ok(
      sources.some(({ path }) => isHot(path)),
      'hot folders',
    )
  })
  test('import only what they may', () => none(sources.flatMap((source) => importFaults(source, dependenciesOf))))
  test('have short files', () => none(sources.flatMap(lengthFaults)))
  test('store no function per request', () => none(sources.filter(({ path }) => isHot(path)).flatMap(storedFunctions)))
})

suite('the import rules', () => {
  const DEPENDENCIES = [
    '@millrace/shared',
    '@millrace/control',
    '@mikro-orm/core',
    'pg',
    'type-graphql',
    '@apollo/server',
    '@pydantic/genai-prices',
    'h3',
    'zod',
  ]
  const faults = (path: string, code: string): string[] =>
    importFaults(parse(`packages/${path}`, code), () => DEPENDENCIES)
  const refused = (path: string, code: string, reason: RegExp): void => {
    const found = faults(path, code)
    assert.equal(found.length, 1, `${code} in ${path}: ${found.join('\n')}`)
    assert.match(found[0]!, reason)
  }

  test('keep shared pure', () => {
    for (const name of ['node:fs', 'node:net', 'node:http', 'node:child_process', 'fs', 'h3', 'pg']) {
      refused('shared/src/x.ts', `import '${name}'`, /shared is what both planes agree on/)
    }
    refused('shared/src/x.ts', "import type { App } from 'h3'", /shared is what both planes agree on/)
    refused('shared/src/x.ts', "type App = import('h3').App", /shared is what both planes agree on/)
    refused('shared/src/x.ts', "export const load = () => import('node:fs')", /shared is what both planes agree on/)
    assert.deepEqual(faults('shared/src/x.ts', "import { hash } from 'node:crypto'; import * as z from 'zod'"), [])
    assert.deepEqual(faults('shared/src/x.ts', "import { calcPrice } from '@pydantic/genai-prices'"), [])
    assert.deepEqual(faults('shared/src/x.test.ts', "import { test } from 'node:test'"), [])
  })

  test('keep database and schema out of the proxy', () => {
    for (const name of ['@mikro-orm/core', 'pg', 'type-graphql', '@apollo/server', '@apollo/server/standalone']) {
      refused('proxy/src/x.ts', `import '${name}'`, /the proxy decides from memory/)
      assert.deepEqual(faults('control/src/x.ts', `import '${name}'`), [])
    }
  })

  test('keep the planes apart', () => {
    refused('proxy/src/x.ts', "import '@millrace/control'", /meet in @millrace\/shared/)
    refused('proxy/src/x.ts', "import '../../control/src/main.ts'", /meet in @millrace\/shared/)
    refused('control/src/x.ts', "export * from '../../proxy/src/main.ts'", /meet in @millrace\/shared/)
    refused('control/src/x.ts', "import '../../shared/src/index.ts'", /meet in @millrace\/shared/)
    assert.deepEqual(faults('control/src/x.ts', "import { digest } from '@millrace/shared'"), [])
  })

  test('let providers be known by their index alone', () => {
    refused('proxy/src/request/x.ts', "import { openai } from '../providers/openai.ts'", /one line in its index/)
    assert.deepEqual(faults('proxy/src/request/x.ts', "import { providers } from '../providers/index.ts'"), [])
    assert.deepEqual(faults('proxy/src/request/x.ts', "import type { Provider } from '../providers/provider.ts'"), [])
    assert.deepEqual(faults('proxy/src/providers/index.ts', "import { openai } from './openai.ts'"), [])
  })

  test('keep dialects apart, and the canonical form from them', () => {
    refused('proxy/src/dialects/a/x.ts', "import '../b/y.ts'", /no other dialect/)
    refused(
      'proxy/src/dialects/a/x.ts',
      "import type { Exchange } from '../../request/exchange.ts'",
      /no other dialect/,
    )
    refused('proxy/src/dialects/a/x.ts', "import '../../endpoints/endpoint.ts'", /no other dialect/)
    assert.deepEqual(faults('proxy/src/dialects/a/x.ts', "import './y.ts'; import '../../canonical/wire.ts'"), [])
    assert.deepEqual(
      faults('proxy/src/dialects/a/x.ts', "import '../../stream/json.ts'; import '@millrace/shared'"),
      [],
    )
    refused('proxy/src/canonical/x.ts', "import '../dialects/a/x.ts'", /knows no API/)
    refused('proxy/src/canonical/x.ts', "import '../stream/json.ts'", /knows no API/)
    assert.deepEqual(faults('proxy/src/canonical/x.ts', "import './content.ts'; import '@millrace/shared'"), [])
  })

  test('want extensions', () => {
    refused('proxy/src/x.ts', "import './y'", /carries its extension/)
    refused('proxy/src/x.ts', "import './y.js'", /carries its extension/)
    assert.deepEqual(faults('proxy/src/x.ts', "import './y.ts'"), [])
  })

  test('want dependencies named', () => {
    refused('proxy/src/x.ts', "import 'left-pad/sub'", /names in its package.json/)
    assert.deepEqual(faults('proxy/src/x.ts', "import 'h3/node'; import 'node:fs'; import 'fs'"), [])
  })
})

test('the length rule counts lines', () => {
  const file = (lines: number): Source => parse('packages/proxy/src/x.ts', 'x()\n'.repeat(lines))
  assert.deepEqual(lengthFaults(file(LONGEST_FILE)), [])
  assert.match(lengthFaults(file(LONGEST_FILE + 1))[0]!, /has 301 lines/)
})

suite('the hot path rule', () => {
  const faults = (code: string): string[] => storedFunctions(parse('packages/proxy/src/request/x.ts', code))

  for (const code of [
    'export function f(x) { x.y = () => 1 }',
    'export const f = (x) => { x.y = function () {} }',
    'class A { constructor() { this.onClose = () => {} } }',
    'export function f(x) { x[kDone] ??= (() => 1) as Done }',
    'export function f(x, a) { x.y = a ? () => 1 : null }',
    'class A { onClose = () => {} }',
    'class A { handlers = { onClose() {} } }',
    'export function f() { return { onData: () => {} } }',
    'export function f() { pool.dispatch(options, { onData() {} }) }',
    'function make() { return { f: () => 1 } }; export const f = () => make()',
    'function make() { return { f: () => 1 } }; export const a = make(); export { make }',
    'export const f = async () => ({ get size() { return 1 } })',
  ]) {
    test(`refuses ${code}`, () => {
      const found = faults(code)
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0]!, /^packages\/proxy\/src\/request\/x\.ts:1 .*old space/)
    })
  }

  for (const code of [
    'export const openai = { encode() {}, decode: (x) => x }',
    'module.x = () => 1',
    'function make(name) { return { name, f: () => 1 } }; export const a = make(1), b = make(2)',
    'class A { static make = () => new A(); onClose() {} }',
    'function f(list) { const g = () => 1; return list.map((x) => x + g()) }',
    "function f(res) { res.on('close', onClose) }",
    'function f(x) { x.y = onClose; return { onClose } }',
  ]) {
    test(`allows ${code}`, () => assert.deepEqual(faults(code), []))
  }

  test('holds in the hot folders', () => {
    assert.ok(isHot('packages/proxy/src/upstream/send.ts'))
    assert.ok(isHot('packages/proxy/src/records/draft.ts'))
    assert.ok(!isHot('packages/proxy/src/snapshot/subscribe.ts'))
    assert.ok(!isHot('packages/proxy/src/upstream/send.test.ts'))
  })
})
