/** What a resolver has found, as a key sees it: what belongs to other projects is not there. */
import { getNamedType, isNonNullType, type GraphQLOutputType } from 'graphql'

import { ownersOf, type Owners, type Scope } from '../access/scope.ts'
import { notFound } from './errors.ts'

interface Found {
  readonly id?: string
  /** Of an admin key. */
  readonly projectIds?: Owners
  readonly projectId?: string | null
  /** Of a connection. */
  readonly edges?: readonly { readonly node: unknown }[]
}

/**
 * The last of the places that look to it: lists and feeds ask for no more than a key sees, and here is held what they, or
 * rows found by their ids, would still show.
 * @throws GraphQLError NOT_FOUND where there would have to be something
 */
export function withinReach(value: unknown, type: GraphQLOutputType, scope: Scope): unknown {
  if (scope.projects === null || typeof value !== 'object' || value === null) return value
  const { name } = getNamedType(type)
  if (Array.isArray(value)) return value.filter((one) => isSeen(one as Found, name, scope))
  const found: Found = value
  if (found.edges) return { ...found, edges: found.edges.filter(({ node }) => isSeen(node as Found, name, scope)) }
  if (isSeen(found, name, scope)) return value
  if (isNonNullType(type)) throw notFound(name.toLowerCase())
  return null
}

function isSeen(value: Found | null, type: string, scope: Scope): boolean {
  if (typeof value !== 'object' || value === null) return true
  return scope.sees(ownersOfFound(value, type))
}

function ownersOfFound({ id, projectId, projectIds }: Found, type: string): Owners {
  if (type === 'Project') return ownersOf(id ?? null)
  return projectIds ?? ownersOf(projectId ?? null)
}
