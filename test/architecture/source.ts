/** The packages' own source, parsed. Must never know the rules. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

import { parseSync, type Program } from 'oxc-parser'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Source {
  /** From the repository's root, with `/`. */
  readonly path: string
  readonly text: string
  readonly program: Program
}

/** @throws SyntaxError naming the file */
export function parse(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text, { preserveParens: false })
  if (errors[0]) throw new SyntaxError(`${path}: ${errors[0].message}`)
  return { path, text, program }
}

/** Every TypeScript file under `packages/<name>/src`. */
export function packageSources(): Source[] {
  return readdirSync(join(ROOT, 'packages'), { recursive: true, encoding: 'utf8' })
    .map((path) => relative(ROOT, join(ROOT, 'packages', path)).replaceAll(sep, '/'))
    .filter((path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path))
    .toSorted()
    .map((path) => parse(path, readFileSync(join(ROOT, path), 'utf8')))
}

/** What a package's package.json lets it import. */
export function dependenciesOf(packageName: string): string[] {
  const text = readFileSync(join(ROOT, 'packages', packageName, 'package.json'), 'utf8')
  return Object.keys((JSON.parse(text) as { dependencies?: Record<string, string> }).dependencies ?? {})
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
