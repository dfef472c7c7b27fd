/** JSON with something in it that nobody promised. */
import fc from 'fast-check'

import type { Json } from './said.ts'

/** What may stand where something else was expected. */
const STRANGE: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1e300,
  '',
  'text',
  '\ud800',
  '{"a":',
  [],
  [null],
  [[]],
  {},
  { type: 'unheard_of' },
  { type: 'text', text: 5 },
  { length: 3 },
]

const MOST_PLACES = 100_000

export interface Mutation {
  /** Which of all values in it, as a share of their number. */
  readonly where: number
  readonly how: 'replace' | 'drop' | 'double'
  readonly what: Json
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  where: fc.nat(MOST_PLACES - 1).map((place) => place / MOST_PLACES),
  how: fc.constantFrom('replace', 'replace', 'drop', 'double'),
  what: fc.constantFrom(...STRANGE),
})

/** A copy that is changed so, one after the other. */
export function mutated(value: Json, mutations: readonly Mutation[]): Json {
  const copy = structuredClone(value)
  for (const { where, how, what } of mutations) {
    const places = placesIn(copy)
    const place = places[Math.floor(where * places.length)]
    if (place === undefined) continue
    const { parent, key } = place
    if (Array.isArray(parent)) {
      if (how === 'drop') parent.splice(key as number, 1)
      else if (how === 'double') parent.splice(key as number, 0, structuredClone(parent[key as number]))
      else parent[key as number] = structuredClone(what)
    } else if (how === 'drop') delete parent[key]
    else parent[key] = structuredClone(what)
  }
  return copy
}

function placesIn(value: Json, places: { parent: Json; key: string | number }[] = []): typeof places {
  if (typeof value !== 'object' || value === null) return places
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    places.push({ parent: value, key })
    placesIn(value[key], places)
  }
  return places
}
