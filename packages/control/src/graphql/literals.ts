/** Values that stand in a document itself: one that does not fit its type is named as one in a variable is (variables.ts). */
import {
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type ASTNode,
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
} from 'graphql'

import { badInput } from './errors.ts'
import { faultAt, type Fault, type Path } from './variables.ts'

type Ancestor = ASTNode | readonly ASTNode[]

/**
 * Says of each error that is about a value what is said of a variable's: BAD_USER_INPUT, the field, and never the value.
 * @param errors of graphql-js' validation; changed in place
 */
export function nameValues(schema: GraphQLSchema, document: DocumentNode, errors: readonly GraphQLError[]): void {
  const ofNode = Map.groupBy(errors, ({ nodes }) => nodes?.[0])
  const types = new TypeInfo(schema)
  const enter = (
    node: ASTNode,
    _key: unknown,
    parent: Ancestor | undefined,
    path: Path,
    ancestors: readonly Ancestor[],
  ): void => {
    const found = ofNode.get(node)
    const value = found && valueOf(node)
    if (value === undefined || parent === undefined) return
    const place = placeOf([...ancestors, parent, node], path)
    const type = types.getInputType()
    const fault = type ? faultAt(place, type, value) : { path: place, reason: 'is not known' }
    for (const error of found!) tell(error, fault)
  }
  visit(document, visitWithTypeInfo(types, { enter }))
}

/** As far as {@link faultAt} asks for it; undefined for what is no value. */
function valueOf(node: ASTNode): object | string | null | undefined {
  switch (node.kind) {
    case Kind.NULL:
      return null
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name }) => [name.value, true]))
    case Kind.LIST:
      return []
    case Kind.OBJECT_FIELD:
    case Kind.BOOLEAN:
    case Kind.ENUM:
    case Kind.FLOAT:
    case Kind.INT:
    case Kind.STRING:
      return ''
    default:
      return undefined
  }
}

/**
 * Where a value stands in its argument, and which that is.
 * @param path the steps from one of `nodes` to the next
 */
function placeOf(nodes: readonly Ancestor[], path: Path): Path {
  return nodes.flatMap((node, i) => {
    if (!('kind' in node)) return isList(nodes[i - 1]) ? [path[i]!] : []
    switch (node.kind) {
      case Kind.ARGUMENT:
      case Kind.OBJECT_FIELD:
        return [node.name.value]
      case Kind.VARIABLE_DEFINITION:
        return [node.variable.name.value]
      default:
        return []
    }
  })
}

function isList(node: Ancestor | undefined): boolean {
  return node !== undefined && 'kind' in node && node.kind === Kind.LIST
}

function tell(error: GraphQLError, { path, reason }: Fault): void {
  const { message, extensions } = badInput(path.join('.'), reason)
  error.message = message
  Object.assign(error.extensions, extensions)
}
