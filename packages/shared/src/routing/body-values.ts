/** Values in a body of which nothing is known but that it was JSON. */

export type JsonBody = Readonly<Record<string, unknown>>

/** What conditions may ask of a body. */
export interface BodyFeatures {
  readonly maxTokens: number | null
  readonly tools: boolean
  readonly images: boolean
}

export function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

/** Null also for an empty one. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function isObject(value: unknown): value is JsonBody {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
