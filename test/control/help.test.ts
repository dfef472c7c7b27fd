/** What `npm run control -- --help` says is what the README and `npm start -- --help` say. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { SETTING_NAMES } from '@millrace/shared'

const CONTROL = fileURLToPath(new URL('../../packages/control/', import.meta.url))
const LAUNCHER = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url))
/** Said in the file for people; it is the proxy that reads it. */
const ELSEWHERE = 'MILLRACE_PROXY_PORT'

/** Each setting that a program's help tells of, with its default. */
function helpOf(program: string): Map<string, string> {
  const help = execFileSync(process.execPath, [program, '--help'], { encoding: 'utf8' })
  return new Map(
    Array.from(help.matchAll(/^  (MILLRACE_\w+) .+\n +\[(.+)\]$/gm), ([, name, byDefault]) => [name!, byDefault!]),
  )
}

test("control's help has the settings that it reads, with the launcher's defaults", () => {
  const rows = helpOf(`${CONTROL}dist/main.js`)
  const sources = readdirSync(`${CONTROL}src`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'help.ts')
    .map((name) => readFileSync(`${CONTROL}src/${name}`, 'utf8'))
    .join('\n')
  const read = SETTING_NAMES.filter((name) => name !== ELSEWHERE && sources.includes(`.${name}`))
  const destructured = SETTING_NAMES.filter((name) => new RegExp(`\\b${name}\\b[^'\n]*\\} = `).test(sources))
  assert.deepEqual([...rows.keys()].sort(), [...new Set([...read, ...destructured])].sort())
  const launcher = helpOf(LAUNCHER)
  for (const [name, byDefault] of rows) assert.equal(byDefault, launcher.get(name), name)
})
