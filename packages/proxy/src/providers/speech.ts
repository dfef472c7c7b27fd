import type { Wire } from '../canonical/wire.ts'
import { EventSplitter } from '../stream/events.ts'
import type { SpokenTo } from '../translation/translated.ts'

/** An API whose streams are server-sent events. @param headers that it wants unless the client has them, names and values in turn */
export function spokenTo(wire: Wire, headers: readonly string[] = []): SpokenTo {
  return { wire, headers, splitter: eventSplitter }
}

function eventSplitter(): EventSplitter {
  return new EventSplitter()
}
