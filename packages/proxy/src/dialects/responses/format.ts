/** `text`: the form that an answer's text is to have, and how long it is to be. */
import { wrong } from '../../canonical/problem.ts'
import type { ResponseFormat } from '../../canonical/request.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import { stringOf } from './values.ts'

export interface TextSettings {
  readonly format: ResponseFormat | null
  readonly verbosity: string | null
}

export function readTextSettings(value: unknown): TextSettings {
  if (value == null) return { format: null, verbosity: null }
  if (!isObject(value)) throw wrong('text', '"text" has to be an object.')
  const { format, verbosity = null } = value
  if (verbosity !== null && typeof verbosity !== 'string') {
    throw wrong('text.verbosity', '"text.verbosity" has to be a string.')
  }
  return { format: readFormat(format), verbosity }
}

function readFormat(value: unknown): ResponseFormat | null {
  if (value == null) return null
  const type = isObject(value) ? value['type'] : null
  if (type === 'text') return { type: 'text' }
  if (type === 'json_object') return { type: 'json' }
  if (type !== 'json_schema') {
    throw wrong('text.format', '"text.format" has to be of the type text, json_object or json_schema.')
  }
  const { name, description, schema, strict } = value as JsonObject
  if (typeof name !== 'string' || name === '') throw wrong('text.format.name', 'The schema has to have a name.')
  if (!isObject(schema)) throw wrong('text.format.schema', 'The schema has to be an object.')
  return {
    type: 'schema',
    name,
    description: stringOf(description),
    schema,
    strict: typeof strict === 'boolean' ? strict : null,
  }
}

/** @returns undefined: there is nothing to say */
export function textSettings(format: ResponseFormat | null, verbosity: string | null): JsonObject | undefined {
  if (format === null && verbosity === null) return undefined
  return { ...(format && { format: formatOf(format) }), ...(verbosity !== null && { verbosity }) }
}

function formatOf(format: ResponseFormat): JsonObject {
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json') return { type: 'json_object' }
  const { name, description, schema, strict } = format
  return {
    type: 'json_schema',
    name,
    ...(description !== null && { description }),
    schema,
    // Absent, this API takes it for true, and no schema that it can't keep to.
    strict: strict ?? false,
  }
}
