/** Whether every request of the bench has its record, asked by the public API. */
import type { ControlProcess } from '../helpers/control.ts'
import type { ProxyProcess } from '../helpers/proxy.ts'
import { waitFor } from '../helpers/wait.ts'
import { ALIAS, ROUTED_ALIAS, stormAlias, TEN_ALIAS } from './messages.ts'

const PAGE = 500
let markers = 0

/**
 * Waits until a proxy has sent all records that it had: it sends the oldest first, so that those of past requests
 * are stored once that of a request of ours is.
 */
export async function drained(
  control: ControlProcess,
  proxy: Pick<ProxyProcess, 'url'>,
  timeoutMs: number,
): Promise<void> {
  const id = `bench-marker-${markers++}`
  const answer = await fetch(`${proxy.url}/v1/models`, {
    headers: { authorization: `Bearer ${control.token}`, 'x-request-id': id },
  })
  await answer.arrayBuffer()
  const stored = async (): Promise<boolean> => {
    const { request } = await control.gql<{ request: object | null }>(
      'query ($id: String!) { request(requestId: $id) { id } }',
      { id },
    )
    return request !== null
  }
  await waitFor(stored, { timeoutMs, intervalMs: 50, what: 'the records to be stored' })
}

/** How many records of requests for the bench's aliases are stored. */
export async function countRecords(control: ControlProcess, rounds: number): Promise<number> {
  const models = [ALIAS, TEN_ALIAS, ROUTED_ALIAS, ...Array.from({ length: rounds }, (_, i) => stormAlias(i))]
  let count = 0
  for (const model of models) count += await countOf(control, model)
  return count
}

async function countOf(control: ControlProcess, model: string): Promise<number> {
  let count = 0
  let after: string | null = null
  for (;;) {
    const { requests }: RecordPage = await control.gql(
      `query ($model: String!, $after: String) {
        requests(filter: { model: $model }, first: ${PAGE}, after: $after) { edges { cursor } pageInfo { hasNextPage endCursor } }
      }`,
      { model, after },
    )
    count += requests.edges.length
    if (!requests.pageInfo.hasNextPage) return count
    after = requests.pageInfo.endCursor
  }
}

interface RecordPage {
  readonly requests: {
    readonly edges: readonly object[]
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  }
}
