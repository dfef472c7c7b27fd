/** The README's table of endpoints and providers: each of its cells is asked for. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'

import { PROVIDER_KINDS, ROUTED_ENDPOINTS, type ProviderKind } from '@millrace/shared'

import { cellOf, CELLS, type Cell, type EndpointPath } from './proxy/dialects/cells.ts'
import { useDialects } from './proxy/dialects/scene.ts'

const README = new URL('../README.md', import.meta.url)
const scene = useDialects()

/** The rows of the table: the head first, without backticks and marks of notes. */
function rows(): string[][] {
  const [, section] = readFileSync(README, 'utf8').split(/^#+ Endpoints and providers$/m)
  assert.ok(section !== undefined, 'README.md has "Endpoints and providers"')
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  const table = lines.slice(0, ROUTED_ENDPOINTS.length + 2)
  return [table[0]!, ...table.slice(2)].map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll(/[`*¹²³⁴⁵]/g, '').trim()),
  )
}

suite('the README says where each endpoint can be asked', () => {
  const [head, ...body] = rows()

  test('of every kind and endpoint', () => {
    assert.deepEqual(head!.slice(1).sort(), [...PROVIDER_KINDS].sort())
    assert.deepEqual(
      body.map(([path]) => path!.replace(/^POST /, '')),
      ROUTED_ENDPOINTS,
    )
  })

  for (const [path, ...cells] of body) {
    for (const [index, cell] of cells.entries()) {
      const kind = head![index + 1] as ProviderKind
      test(`${path} at ${kind}: ${cell}`, async () => {
        assert.ok(CELLS.includes(cell as Cell), `"${cell}" is one of ${CELLS.join(', ')}`)
        assert.equal(await cellOf(scene, path!.replace(/^POST /, '') as EndpointPath, kind), cell)
      })
    }
  }
})
