/** JSON Schemas as models can be held to them. */
import { isObject, type JsonObject } from '../../canonical/values.ts'

/** What the API compiles (its guide "Structured outputs", "JSON Schema limitations"). */
const KEPT = new Set([
  'type',
  'title',
  'description',
  'enum',
  'const',
  'default',
  'required',
  'additionalProperties',
  '$ref',
  '$schema',
  '$id',
])
/** Members whose values are schemas by name. */
const NAMED_SCHEMAS = new Set(['properties', '$defs', 'definitions'])
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'])

/**
 * The schema as the API takes it for `output_config.format` and strict tools: objects are closed, and bounds that it does not
 * know stand in descriptions, where the model reads them.
 * @returns null if that would mean another: an object may have members of any name in it
 */
export function nativeSchema(schema: JsonObject): JsonObject | null {
  const { additionalProperties: others } = schema
  if (others !== undefined && others !== false && isObjectSchema(schema) && !closable(schema)) return null
  const native: Record<string, unknown> = {}
  const bounds: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(schema)) {
    if (KEPT.has(name)) native[name] = value
    else if (NAMED_SCHEMAS.has(name) && isObject(value)) {
      const inner = schemasByName(value)
      if (inner === null) return null
      native[name] = inner
    } else if ((name === 'anyOf' || name === 'oneOf' || name === 'allOf') && Array.isArray(value)) {
      const inner = value.map((one) => (isObject(one) ? nativeSchema(one) : null))
      if (inner.includes(null)) return null
      native[name === 'oneOf' ? 'anyOf' : name] = inner
    } else if (name === 'items' && isObject(value)) {
      const inner = nativeSchema(value)
      if (inner === null) return null
      native[name] = inner
    } else if (name === 'minItems' && (value === 0 || value === 1)) native[name] = value
    else if (name === 'format' && typeof value === 'string' && FORMATS.has(value)) native[name] = value
    else bounds[name] = value
  }
  if (isObjectSchema(schema)) native['additionalProperties'] = false
  if (Object.keys(bounds).length > 0) native['description'] = described(native['description'], bounds)
  return native
}

function schemasByName(schemas: JsonObject): JsonObject | null {
  const native: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    const inner = isObject(schema) ? nativeSchema(schema) : null
    if (inner === null) return null
    Object.defineProperty(native, name, { value: inner, enumerable: true, writable: true, configurable: true })
  }
  return native
}

/** Whether an object's members are all named, so that nothing is lost where others are forbidden. */
function closable({ properties, additionalProperties }: JsonObject): boolean {
  return additionalProperties === true && isObject(properties) && Object.keys(properties).length > 0
}

function isObjectSchema({ type, properties }: JsonObject): boolean {
  return (
    type === 'object' ||
    (Array.isArray(type) && type.includes('object')) ||
    (type === undefined && isObject(properties))
  )
}

function described(description: unknown, bounds: JsonObject): string {
  const text = JSON.stringify(bounds)
  return typeof description === 'string' && description !== '' ? `${description}\n${text}` : text
}

/** Whether all objects in it have all of their members and no others, as OpenAI's strict schemas must. */
export function isClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isClosed)
  if (!isObject(schema)) return true
  if (isObjectSchema(schema)) {
    const { properties, required, additionalProperties } = schema
    const names = isObject(properties) ? Object.keys(properties) : []
    if (additionalProperties !== false || !Array.isArray(required)) return false
    if (!names.every((name) => required.includes(name))) return false
  }
  return Object.values(schema).every(isClosed)
}
