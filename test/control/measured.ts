/** What a control plane tells Prometheus. */
import assert from 'node:assert/strict'

import type { ControlProcess } from '../helpers/control.ts'

/** The value of a metric, or of one of its series: `millrace_control_database_connections{state="idle"}`. */
export async function metricOf(control: ControlProcess, series: string): Promise<number> {
  const text = await (await fetch(`${control.url}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  assert.ok(line, `no ${series} in\n${text}`)
  return Number(line.slice(series.length + 1))
}
