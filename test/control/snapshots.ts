/** What control tells proxies. */
import { parseSnapshot, SNAPSHOTS_SUBSCRIPTION, type Snapshot } from '@millrace/shared'

import type { ControlProcess } from '../helpers/control.ts'
import { within } from '../helpers/wait.ts'
import * as documents from './documents.ts'

/**
 * The snapshot of the newest revision. A proxy that connects a moment after a change may still be told what was before
 * it, and then what is.
 */
export async function newestSnapshot(control: ControlProcess): Promise<Snapshot> {
  const { it: newest } = await control.gql(documents.NEWEST_REVISION)
  await using events = control.subscribe(SNAPSHOTS_SUBSCRIPTION, {}, control.proxyKey)
  for (;;) {
    const { value } = await within(10_000, 'a snapshot', events.next())
    if (value['snapshots'].revision >= newest.number) return parseSnapshot(value['snapshots'].document)
  }
}
