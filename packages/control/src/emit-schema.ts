/** Writes the repository's `schema.graphql`; with `--check` only says whether it is what the code makes. */
import { readFileSync, writeFileSync } from 'node:fs'

import { printedSchema } from './graphql/schema.ts'

const path = new URL('../../../schema.graphql', import.meta.url)

if (!process.argv.includes('--check')) {
  writeFileSync(path, printedSchema())
} else if (committed() !== printedSchema()) {
  process.stderr.write('schema.graphql is not what the code makes: run npm run schema and commit the result\n')
  process.exitCode = 1
}

function committed(): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
