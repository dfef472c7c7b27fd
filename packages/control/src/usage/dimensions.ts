/** What usage is told apart by: in records, in sums, and in answers. */

/** As clients group by them, and the column that each is in records, sums and series alike. */
export const DIMENSION_COLUMNS = {
  PROJECT: 'project_id',
  TOKEN: 'token_id',
  MODEL: 'model',
  PROVIDER: 'provider_id',
  PROVIDER_MODEL: 'provider_model',
  STATUS: 'status',
  ENDPOINT: 'endpoint',
} as const
export type Dimension = keyof typeof DIMENSION_COLUMNS
export const DIMENSIONS = Object.keys(DIMENSION_COLUMNS) as Dimension[]

/** Every column that sums are told apart by, and its type. */
export const KEY_TYPES = {
  project_id: 'uuid',
  token_id: 'uuid',
  model: 'text',
  provider_id: 'uuid',
  provider_model: 'text',
  status: 'text',
  endpoint: 'text',
  stream: 'boolean',
  cache: 'text',
  error_class: 'text',
} as const
export type KeyColumn = keyof typeof KEY_TYPES
export const KEY_COLUMNS = Object.keys(KEY_TYPES) as KeyColumn[]

/** Sums by some of the columns; in those of hours and days the others are null. */
export interface Grain {
  readonly id: number
  readonly columns: readonly KeyColumn[]
}

/**
 * The same sums by all columns, and by fewer: so that what is asked of everything does not read a row for each of ten thousand
 * tokens, nor what is asked of tokens one for each provider and error.
 */
export const GRAINS: readonly Grain[] = [
  { id: 1, columns: KEY_COLUMNS },
  { id: 2, columns: ['project_id', 'token_id', 'model', 'status'] },
  { id: 3, columns: ['project_id', 'model', 'provider_id', 'provider_model', 'status', 'endpoint'] },
  { id: 4, columns: ['model', 'provider_id', 'provider_model', 'status', 'endpoint'] },
]
export const FINEST = GRAINS[0]!

/** The one with the fewest rows that has all of these columns. */
export function grainFor(columns: Iterable<KeyColumn>): Grain {
  const wanted = [...columns]
  return GRAINS.findLast((grain) => wanted.every((column) => grain.columns.includes(column)))!
}
