/** A JSON Schema of arrays in arrays, as text. */
export function nested(depth: number): string {
  const half = Math.floor(depth / 2)
  return `{"type":"object","properties":{"a":${'{"items":'.repeat(half)}{"type":"string"}${'}'.repeat(half)}}}`
}
