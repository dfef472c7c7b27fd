/** A proxy of several workers, looked at from outside. */
import type { Readyz } from '../../helpers/gateway.ts'
import { send } from '../../helpers/http.ts'
import type { ProxyProcess } from '../../helpers/proxy.ts'
import { waitFor } from '../../helpers/wait.ts'
import { childrenOf } from '../../start/process-table.ts'

export const THREE = { MILLRACE_WORKERS: '3' }

/** The process ids of its workers. */
export function workersOf(proxy: ProxyProcess): number[] {
  return childrenOf(proxy.pid).map(({ pid }) => pid)
}

export async function readyz(proxy: Pick<ProxyProcess, 'url'>): Promise<Readyz & { readonly status: number }> {
  const { status, text } = await send(`${proxy.url}/readyz`, { method: 'GET' })
  return { ...(JSON.parse(text) as Readyz), status }
}

/** Waits until all of its workers serve. */
export function allReady(proxy: ProxyProcess): Promise<unknown> {
  return waitFor(async () => (await readyz(proxy)).ready, { what: 'all workers to be ready', timeoutMs: 30_000 })
}

/** The values of a metric, by its labels as they are written. Waits where a worker does not tell its own in time. */
export async function metric(proxy: Pick<ProxyProcess, 'url'>, name: string): Promise<Map<string, number>> {
  const text = await waitFor(
    async () => {
      const answer = await send(`${proxy.url}/metrics`, { method: 'GET' })
      if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`)
      return answer.text
    },
    { what: 'metrics' },
  )
  const values = new Map<string, number>()
  for (const [, labels, value] of text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm')))
    values.set(labels ?? '', Number(value))
  return values
}

/** The one value of a metric without labels. */
export async function metricValue(proxy: Pick<ProxyProcess, 'url'>, name: string): Promise<number> {
  const value = (await metric(proxy, name)).get('')
  if (value === undefined) throw new Error(`no metric ${name}`)
  return value
}
