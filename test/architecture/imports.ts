/** Who may import whom. */
import { builtinModules } from 'node:module'
import { posix } from 'node:path'

import { Visitor } from 'oxc-parser'

import { lineOf, type Source } from './source.ts'

interface Import {
  readonly specifier: string
  /** Where a relative one leads, from the repository's root. */
  readonly target: string | null
  readonly line: number
}

interface ImportRule {
  readonly appliesTo: (path: string) => boolean
  readonly forbids: (imported: Import, from: string) => boolean
  readonly reason: string
}

const packageOf = (path: string): string => path.split('/')[1]!
const isTest = (path: string): boolean => path.endsWith('.test.ts')
const isIn = (name: string) => (path: string) => packageOf(path) === name && !isTest(path)

/** `@scope/name/sub` -> `@scope/name`, `name/sub` -> `name`. */
const moduleName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier)

/** What does no I/O, and is the same wherever it runs. */
const PURE = ['zod', 'node:crypto', '@pydantic/genai-prices']
const STORES = /^(@mikro-orm\/|@electric-sql\/|pg$|pg-|kysely$|knex$)/
/** Which providers there are, and what a provider is. */
const PROVIDERS_FACE = ['index.ts', 'provider.ts']
const CANONICAL = 'packages/proxy/src/canonical/'
const DIALECTS = 'packages/proxy/src/dialects/'
const DIALECTS_MAY = [CANONICAL, 'packages/proxy/src/stream/', 'packages/proxy/src/cache/answer.ts']
const dialectOf = (path: string): string => path.slice(DIALECTS.length).split('/')[0]!
const SCHEMA = /^(@apollo\/|type-graphql$|graphql$|graphql-scalars$)/

function rules(dependenciesOf: (packageName: string) => readonly string[]): ImportRule[] {
  return [
    {
      appliesTo: isIn('shared'),
      forbids: ({ specifier, target }) => target === null && !PURE.includes(specifier),
      reason:
        'shared is what both planes agree on: pure functions and types, the same wherever they run. It imports zod, ' +
        'node:crypto and the price list of @pydantic/genai-prices, no framework, no I/O, and neither plane',
    },
    {
      appliesTo: isIn('proxy'),
      forbids: ({ specifier }) => STORES.test(specifier) || SCHEMA.test(specifier),
      reason:
        'the proxy decides from memory: what the database and the GraphQL schema know reaches it as a snapshot, so that ' +
        'it serves without them',
    },
    {
      appliesTo: () => true,
      forbids: ({ target, specifier }, from) =>
        (target !== null && !target.startsWith(`packages/${packageOf(from)}/src/`)) ||
        (/^@millrace\/(proxy|control)(\/|$)/.test(specifier) &&
          packageOf(from) !== packageOf(`x/${specifier.slice(10)}`)),
      reason:
        'proxy and control meet in @millrace/shared and over the wire only: each is built, run and replaced alone',
    },
    {
      appliesTo: (path) => path.startsWith('packages/proxy/src/') && !path.startsWith('packages/proxy/src/providers/'),
      forbids: ({ target }) =>
        target !== null &&
        target.startsWith('packages/proxy/src/providers/') &&
        !PROVIDERS_FACE.includes(posix.basename(target)),
      reason:
        'a provider is one file in providers/ and one line in its index: whoever imports it by name has to be changed ' +
        'with every new one',
    },
    {
      appliesTo: (path) => path.startsWith(CANONICAL) && !isTest(path),
      forbids: ({ target }) => target !== null && !target.startsWith(CANONICAL),
      reason: 'the canonical form knows no API, no provider and no request: whoever translates knows it',
    },
    {
      appliesTo: (path) => path.startsWith(DIALECTS) && !isTest(path),
      forbids: ({ target }, from) =>
        target !== null &&
        !target.startsWith(`${DIALECTS}${dialectOf(from)}/`) &&
        !DIALECTS_MAY.some((folder) => target.startsWith(folder)),
      reason:
        'a dialect reads and writes one API: it knows the canonical form and bytes, no other dialect, and not who asks or ' +
        'answers',
    },
    {
      appliesTo: () => true,
      forbids: ({ specifier, target }) => target !== null && !/\.(ts|json)$/.test(specifier),
      reason: 'a relative import carries its extension (.ts): Node finds no file without',
    },
    {
      appliesTo: (path) => !isTest(path),
      forbids: ({ specifier, target }, from) =>
        target === null && !isBuiltin(specifier) && !dependenciesOf(packageOf(from)).includes(moduleName(specifier)),
      reason:
        "a package names in its package.json what it imports: what it only finds because another's dependency lies at " +
        'the top of node_modules goes with that other',
    },
  ]
}

/** One line for each import that breaks a rule. */
export function importFaults(source: Source, dependenciesOf: (packageName: string) => readonly string[]): string[] {
  const applying = rules(dependenciesOf).filter(({ appliesTo }) => appliesTo(source.path))
  return importsOf(source).flatMap((imported) =>
    applying
      .filter(({ forbids }) => forbids(imported, source.path))
      .map(({ reason }) => `${source.path}:${imported.line} imports ${imported.specifier}: ${reason}`),
  )
}

function importsOf({ path, text, program }: Source): Import[] {
  const found: Import[] = []
  const add = (node: { readonly type: string; readonly start: number } | null): void => {
    if (node?.type !== 'Literal') return
    const specifier = (node as unknown as { readonly value: unknown }).value
    if (typeof specifier !== 'string') return
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null
    found.push({ specifier, target, line: lineOf(text, node.start) })
  }
  new Visitor({
    ImportDeclaration: ({ source }) => add(source),
    ExportNamedDeclaration: ({ source }) => add(source),
    ExportAllDeclaration: ({ source }) => add(source),
    ImportExpression: ({ source }) => add(source),
    TSImportType: ({ source }) => add(source),
  }).visit(program)
  return found
}
