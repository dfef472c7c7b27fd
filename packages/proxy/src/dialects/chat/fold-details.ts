import { foldMembers, refuse, type Shape } from '../../stream/json-fold.ts'
import { readItems, writeMembers, type Members } from '../../stream/json-source.ts'

const DETAIL: Shape = {
  members: {
    type: 'label',
    text: 'text',
    summary: 'text',
    signature: 'label',
    format: 'label',
    id: 'label',
    index: 'last',
  },
  others: 'unknown',
}

/** OpenRouter's `reasoning_details` of all chunks as one list: what can be read comes in pieces, what is sealed whole. */
export function foldDetails(sources: readonly string[]): string {
  const details: Members[][] = []
  let before = ''
  for (const item of sources.flatMap((source) => readItems(source))) {
    const kind = item.get('type') ?? refuse('a detail without a type')
    const own = `${kind} ${item.get('index') ?? ''}`
    const goesOn = own === before && item.has('index') && kind !== '"reasoning.encrypted"'
    if (goesOn) details.at(-1)!.push(item)
    else details.push([item])
    before = own
  }
  return `[${details.map((parts) => writeMembers(foldMembers(parts, DETAIL))).join(',')}]`
}
