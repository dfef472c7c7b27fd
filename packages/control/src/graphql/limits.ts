/** How much one operation may ask for: the same on HTTP and on WebSocket. */
import {
  GraphQLError,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql'
import { getComplexity, type ComplexityEstimator } from 'graphql-query-complexity'

import { badInput } from './errors.ts'
import { MOST_OF_A_PAGE } from './input.ts'
import { variableError } from './variables.ts'

/** Tokens of a document; values in variables don't count. */
export const MAX_TOKENS = 5_000
const MAX_DEPTH = 12
/** Values in an answer, roughly: each field counts once for each time that it is likely to be there. */
const MAX_COMPLEXITY = 100_000
/** How many a list without `first` is taken to have. */
const USUAL_LIST_LENGTH = 10

/** Refuses a document that goes deeper than {@link MAX_DEPTH}. Introspection has a rule of its own in graphql-js. */
export const depthRule: ValidationRule = (context) => ({
  OperationDefinition(operation) {
    const depths = new Map<string, number>()
    const fragmentDepth = (name: string): number => {
      const known = depths.get(name)
      if (known !== undefined) return known
      // Also ends a circle of fragments, which another rule refuses.
      depths.set(name, 0)
      const fragment: FragmentDefinitionNode | null | undefined = context.getFragment(name)
      const depth = fragment ? depthOf(fragment.selectionSet) : 0
      depths.set(name, depth)
      return depth
    }
    const depthOf = (selections: SelectionSetNode): number =>
      Math.max(
        ...selections.selections.map((selection) => {
          if (selection.kind === Kind.FRAGMENT_SPREAD) return fragmentDepth(selection.name.value)
          if (selection.kind === Kind.INLINE_FRAGMENT) return depthOf(selection.selectionSet)
          if (selection.name.value.startsWith('__')) return 0
          return 1 + (selection.selectionSet ? depthOf(selection.selectionSet) : 0)
        }),
      )
    const depth = depthOf(operation.selectionSet)
    if (depth > MAX_DEPTH)
      context.reportError(new GraphQLError(`the operation is ${depth} levels deep, ${MAX_DEPTH} are allowed`))
  },
})

/** One for the field, and its children's as often as they are likely to be there. */
const estimator: ComplexityEstimator = ({ field, args, childComplexity }) => {
  if (!isCompositeType(getNamedType(field.type))) return 1
  const first = args['first'] ?? field.args.find(({ name }) => name === 'first')?.defaultValue
  // More than a page has are refused by the list itself, which says why.
  if (typeof first === 'number') return 1 + Math.max(1, Math.min(first, MOST_OF_A_PAGE)) * childComplexity
  // A connection's `first` has been multiplied with already.
  const isList = isListType(getNullableType(field.type)) && field.name !== 'edges'
  return 1 + (isList ? USUAL_LIST_LENGTH : 1) * childComplexity
}

/**
 * Null, or why an operation that is valid can't be run: its variables don't fit, or it asks for too much.
 * @param variables as the client sent them
 */
export function operationError(
  schema: GraphQLSchema,
  query: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>> | null | undefined,
): GraphQLError | null {
  const fault = variableError(schema, query, operationName, variables ?? {})
  if (fault) return fault
  try {
    const complexity = getComplexity({
      schema,
      query,
      estimators: [estimator],
      ...(operationName == null ? {} : { operationName }),
      ...(variables == null ? {} : { variables }),
    })
    if (complexity <= MAX_COMPLEXITY) return null
    return badInput('query', `asks for about ${complexity} values, ${MAX_COMPLEXITY} are allowed`)
  } catch {
    // graphql-js' own message tells the value.
    return badInput('query', 'an argument does not fit its type')
  }
}
