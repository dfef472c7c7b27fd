/** Whether an operation's variables fit their types. What is said of one that doesn't never tells its value: it may be a secret. */
import {
  coerceInputValue,
  getNullableType,
  getOperationAST,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  typeFromAST,
  type DocumentNode,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql'

import { badInput } from './errors.ts'

export type Path = readonly (string | number)[]

/** What a leaf's value must be. Of types that are not here, their name is said. */
const EXPECTED: Readonly<Record<string, string>> = {
  BigInt: 'must be a whole number up to 2^53',
  Boolean: 'must be true or false',
  DateTime: 'must be a date and time (RFC 3339) in the years 0001 to 9999',
  Decimal: 'must be a decimal as a text: "0.15"',
  Float: 'must be a number',
  ID: 'must be an id',
  Int: 'must be a whole number of 32 bits',
  String: 'must be a text',
}

/** What is wrong with a value, and where in it. */
export interface Fault {
  readonly path: Path
  readonly reason: string
}

/**
 * The first variable at fault, or null.
 * @param variables as the client sent them
 */
export function variableError(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): GraphQLError | null {
  for (const { variable, type: typeNode, defaultValue } of getOperationAST(document, operationName)
    ?.variableDefinitions ?? []) {
    const type = typeFromAST(schema, typeNode)
    const name = variable.name.value
    const isGiven = Object.hasOwn(variables, name)
    if (!isInputType(type) || (!isGiven && (defaultValue || !isNonNullType(type)))) continue
    const fault = isGiven ? firstFault(variables[name], type) : { path: [], reason: 'is required' }
    if (fault) return badInput([name, ...fault.path].join('.'), fault.reason)
  }
  return null
}

function firstFault(value: unknown, type: GraphQLInputType): Fault | null {
  let first: Fault | null = null
  coerceInputValue(value, type, (path, invalid) => (first ??= faultAt(path, typeAt(type, path), invalid)))
  return first
}

/** The type of what stands at a path; a value that stands for a list of itself alone is the list's item. */
function typeAt(type: GraphQLInputType, path: Path): GraphQLInputType {
  let found = type
  for (const step of path) {
    const whole = unlisted(found, typeof step === 'number' ? 1 : Infinity)
    found = typeof step === 'string' && isInputObjectType(whole) ? whole.getFields()[step]!.type : whole
  }
  return found
}

/** The type without so many lists around it. */
function unlisted(type: GraphQLInputType, most: number): GraphQLInputType {
  const bare = getNullableType(type)
  return most > 0 && isListType(bare) ? unlisted(bare.ofType, most - 1) : most > 0 ? bare : type
}

/** @param value at fault; of an object only the names of its fields matter */
export function faultAt(path: Path, type: GraphQLInputType, value: unknown): Fault {
  if (value == null) return { path, reason: 'must not be null' }
  const bare = unlisted(type, Infinity)
  if (isInputObjectType(bare)) {
    if (typeof value !== 'object') return { path, reason: 'must be an object' }
    const fields = bare.getFields()
    const missing = Object.values(fields).find(
      (field) => isRequiredInputField(field) && (value as Record<string, unknown>)[field.name] === undefined,
    )
    if (missing) return { path: [...path, missing.name], reason: 'is required' }
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key))
    return { path: unknown === undefined ? path : [...path, unknown], reason: 'is not known' }
  }
  if (isEnumType(bare)) {
    const names = bare.getValues().map(({ name }) => name)
    return { path, reason: `must be ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}` }
  }
  const { name } = bare as { name: string }
  return { path, reason: EXPECTED[name] ?? `must be a ${name}` }
}
