/** The README and ARCHITECTURE.md say what is so. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import {
  breakerPolicy,
  cachePolicy,
  compileCondition,
  DEFAULT_BASE_URLS,
  DEFAULT_BREAKER,
  DEFAULT_CACHE,
  DEFAULT_HEDGE,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  DEFAULT_TIMEOUTS,
  ERROR_CODES,
  GatewayError,
  hedgePolicy,
  MAX_TIMEOUT_MS,
  PRESETS,
  PROVIDER_KINDS,
  PROVIDER_SETTINGS,
  readSettings,
  retryPolicy,
  SETTING_NAMES,
  stickyPolicy,
  wholeNumber,
  type ConditionError,
  type ProviderKind,
} from '@millrace/shared'
import { buildSchema, parse, validate } from 'graphql'

const ROOT = new URL('../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const readme = read('README.md')

/** The cells of the table whose first column has this title, without their backticks. */
function table(title: string): string[][] {
  const lines = readme.split('\n')
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''))
  const head = lines.findIndex((line) => line.startsWith('|') && cells(line)[0] === title)
  assert.ok(head >= 0, `README.md has a table "${title}"`)
  const rest = lines.slice(head + 2)
  return rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith('|')),
    )
    .map(cells)
}

suite('README.md', () => {
  test('lists every setting with its default, and no other', () => {
    const rows = table('Setting')
    assert.deepEqual(
      rows.map(([name]) => name),
      SETTING_NAMES,
    )
    const defaults = readSettings({}) as Readonly<Record<string, string | number | boolean | string[] | undefined>>
    for (const [name, , byDefault] of rows) {
      const value = defaults[name!]
      if (value !== undefined) assert.equal(byDefault, String(value), name!)
    }
    for (const [name] of readme.matchAll(/\bMILLRACE_\w*[A-Z]/g)) {
      assert.ok(SETTING_NAMES.includes(name) || name.startsWith('MILLRACE_TEST_'), `${name} is a setting`)
    }
  })

  test('agrees with npm start -- --help', () => {
    const help = execFileSync(process.execPath, [fileURLToPath(new URL('scripts/start.ts', ROOT)), '--help'], {
      encoding: 'utf8',
    })
    assert.deepEqual(
      Array.from(help.matchAll(/^  ((?:MILLRACE|OTEL)_\w+) .+\n +\[(.+)\]$/gm), ([, name, byDefault]) => [
        name,
        byDefault,
      ]),
      table('Setting').map(([name, , byDefault]) => [name, byDefault]),
    )
  })

  test('lists every setting of SIMULATED with its default', () => {
    const defaults: Readonly<Record<string, unknown>> = PROVIDER_SETTINGS.SIMULATED.parse({})
    const rows = table('SIMULATED setting')
    assert.deepEqual(
      rows.map(([name]) => name),
      Object.keys(defaults),
    )
    for (const [name, , byDefault] of rows) assert.equal(byDefault, JSON.stringify(defaults[name!]), name!)
  })

  test('lists every setting of providers that are reached by HTTP', () => {
    const kinds = Object.entries(PROVIDER_SETTINGS).filter(([kind]) => kind !== 'SIMULATED')
    const settings = kinds.map(([, schema]) => schema.parse({}) as Readonly<Record<string, unknown>>)
    const names = settings.flatMap((of) =>
      Object.entries(of).flatMap(([name, value]) =>
        name === 'passthrough' ? Object.keys(value as object).map((inner) => `passthrough.${inner}`) : [name],
      ),
    )
    assert.deepEqual(
      table('HTTP setting')
        .map(([name = '']) => name)
        .toSorted(),
      [...new Set(names)].toSorted(),
    )
  })

  test('lists every kind of provider with its address, and every preset with its own', () => {
    const kinds = table('Kind')
    assert.deepEqual(
      kinds.map(([kind]) => kind),
      [...PROVIDER_KINDS],
    )
    for (const [kind, address] of kinds) {
      const known = DEFAULT_BASE_URLS[kind as ProviderKind]
      if (known !== undefined) assert.equal(address, known, kind ?? '')
    }
    assert.deepEqual(
      table('preset').map(([preset, address]) => [preset, address]),
      Object.entries(PRESETS)
        .map(([preset, { baseUrl }]) => [preset, baseUrl.replace(/^https?:\/\//, '')])
        .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    )
  })

  test('lists every policy with its default', () => {
    const policies = {
      sticky: DEFAULT_STICKY,
      retry: DEFAULT_RETRY,
      hedge: DEFAULT_HEDGE,
      cache: DEFAULT_CACHE,
      timeouts: DEFAULT_TIMEOUTS,
      breaker: DEFAULT_BREAKER,
    }
    assert.deepEqual(
      table('Policy').map(([name, , byDefault]) => [name, byDefault]),
      Object.entries(policies).flatMap(([policy, fields]) =>
        Object.entries(fields).map(([field, value]) => [`${policy}.${field}`, String(value)]),
      ),
    )
  })

  test('lists what every policy may be', () => {
    const milliseconds = wholeNumber(1, MAX_TIMEOUT_MS)
    const timeouts = { connect: milliseconds, firstToken: milliseconds, idle: milliseconds, total: milliseconds }
    const fields: Readonly<
      Record<string, Readonly<Record<string, { safeParse(value: unknown): { success: boolean } }>>>
    > = {
      sticky: stickyPolicy.shape,
      retry: retryPolicy.shape,
      hedge: hedgePolicy.shape,
      cache: cachePolicy.shape,
      timeouts,
      breaker: breakerPolicy.shape,
    }
    const bounded = table('Policy').filter(([, , , range]) => range !== '')
    assert.ok(bounded.length > 10)
    for (const [name, , , range] of bounded) {
      const [policy, field] = name!.split('.') as [string, string]
      const [least, most] = range!.split(' to ').map(Number) as [number, number]
      const taken = [least - 1, least, most, most + 1].map((value) => fields[policy]![field]!.safeParse(value).success)
      assert.deepEqual(taken, [false, true, true, false], `${name}: ${range}`)
    }
  })

  test('shows conditions that routes take, and each of their operators', () => {
    const section = readme.split('### Conditions\n')[1]!
    const examples = /```json\n(.*?)```/s.exec(section)![1]!.trim().split('\n')
    for (const example of examples) compileCondition(JSON.parse(example))
    const operators = table('Condition operator').flatMap(([names]) => names!.split(', '))
    assert.throws(
      () => compileCondition({ user: { $no: 1 } }),
      ({ reason }: ConditionError) => reason === `is no operator; use ${operators.join(', ')}`,
    )
    const fields = table('Condition field').flatMap(([names]) => names!.split(', '))
    assert.throws(
      () => compileCondition({ no: 1 }),
      ({ reason }: ConditionError) => {
        const named = /use (.+) or (.+)$/.exec(reason)!
        const known = [...named[1]!.split(', ').filter((name) => !name.startsWith('$')), named[2]!]
        assert.deepEqual(fields.toSorted(), known.toSorted())
        return true
      },
    )
  })

  test('lists every error code with its status and type', () => {
    assert.deepEqual(
      table('Code').map(([code, status, type]) => `${code} ${status} ${type}`),
      ERROR_CODES.map((code) => {
        const { status, type } = new GatewayError(code, '')
        return `${code} ${status} ${type}`
      }),
    )
  })

  test('shows GraphQL that the schema takes', () => {
    const schema = buildSchema(read('schema.graphql'))
    const examples = Array.from(readme.matchAll(/```graphql\n(.*?)```/gs), ([, example]) => example!)
    assert.ok(examples.length > 0)
    for (const example of examples) assert.deepEqual(validate(schema, parse(example)), [], example)
  })
})

for (const file of ['README.md', 'ARCHITECTURE.md']) {
  suite(file, () => {
    const text = read(file)
    test('names npm scripts that exist', () => {
      const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
      for (const [, name] of text.matchAll(/npm run ([\w-]+)/g)) {
        assert.ok(Object.hasOwn(scripts, name!), `npm run ${name}`)
      }
    })
    test('names files that exist', () => {
      for (const [, path] of text.matchAll(/[`(]((?:packages|scripts|test)\/[\w./-]+)[`)]/g)) {
        assert.ok(existsSync(new URL(path!, ROOT)), path!)
      }
    })
  })
}
