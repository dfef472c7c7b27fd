/** What is to be exported, as a query string asks: the fields of `RequestFilter` by their names, and `limit`. */
import { wholeNumber } from '@millrace/shared'
import {
  coerceInputValue,
  getNamedType,
  getNullableType,
  isListType,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLSchema,
} from 'graphql'

import { badInput } from '../graphql/errors.ts'
import { readInput } from '../graphql/input.ts'
import { faultAt } from '../graphql/variables.ts'
import { readFilter, type RequestConditions } from '../requests/request.filter.ts'

const LIMIT = 'limit'
const limitNumber = wholeNumber(1, Number.MAX_SAFE_INTEGER)

export interface ExportQuery {
  readonly filter: RequestConditions
  /** Rows at most; null: all. */
  readonly limit: number | null
}

/** What a schema lets be asked of requests. */
export function requestFilterOf(schema: GraphQLSchema): GraphQLInputObjectType {
  return schema.getType('RequestFilter') as GraphQLInputObjectType
}

/**
 * Lists are given by comma, or again and again: `status=ERROR,TIMEOUT`.
 * @param type RequestFilter: what it has, an export has
 * @throws GraphQLError BAD_USER_INPUT naming the parameter, never telling its value
 */
export function readQuery(given: URLSearchParams, type: GraphQLInputObjectType): ExportQuery {
  const fields = type.getFields()
  const filter: Record<string, unknown> = {}
  let limit: number | null = null
  for (const name of new Set(given.keys())) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field !== undefined) filter[name] = valueOf(field, given.getAll(name))
    else if (name === LIMIT) limit = readInput(limitNumber, asNumber(once(name, given.getAll(name))), LIMIT)
    else throw badInput(name, 'is not known')
  }
  return { filter: readFilter(filter, ''), limit }
}

function valueOf(field: GraphQLInputField, texts: readonly string[]): unknown {
  const { name, type } = field
  const leaf = getNamedType(type).name
  const value = isListType(getNullableType(type))
    ? texts.flatMap((text) => text.split(',')).map((text) => inputOf(leaf, text.trim()))
    : inputOf(leaf, once(name, texts))
  return coerceInputValue(value, type, (_path, invalid) => {
    throw badInput(name, faultAt([], type, invalid).reason)
  })
}

function once(name: string, texts: readonly string[]): string {
  if (texts.length > 1) throw badInput(name, 'must be given once')
  return texts[0]!
}

/** The text as JSON would have it, where it means one; else as it came, for the type itself to refuse. */
function inputOf(leaf: string, text: string): unknown {
  if (leaf === 'Boolean') return text === 'true' ? true : text === 'false' ? false : text
  return leaf === 'Float' || leaf === 'Int' ? asNumber(text) : text
}

function asNumber(text: string): unknown {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
