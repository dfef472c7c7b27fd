import type { ControlProcess } from '../helpers/control.ts'
import type { Subscription } from '../helpers/graphql.ts'
import { waitFor, within } from '../helpers/wait.ts'

/**
 * Subscribes, and does something that the subscription tells of again and again until it does: what comes from now on is
 * told. Of the poking, more may be told first.
 */
export async function begun(
  control: ControlProcess,
  document: string,
  variables: Record<string, unknown>,
  poke: () => Promise<unknown>,
  key = control.adminKey,
): Promise<Subscription<any>> {
  const events = control.subscribe<any>(document, variables, key)
  const first = events.next()
  await events.connected
  await waitFor(
    async () => {
      await poke()
      return within(300, 'the first event', first).then(() => true)
    },
    { what: `an event of ${document.slice(0, 60)}` },
  )
  return events
}
