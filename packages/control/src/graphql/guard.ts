/**
 * What stands between a client and the resolvers, in one place: roles, denied unless declared, and errors,
 * told only as far as a client may know.
 */
import { GraphQLObjectType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql'
import { Extensions } from 'type-graphql'

import type { Role } from '../access/role.ts'
import type { Context } from './context.ts'
import { forbidden, toClientError, unauthenticated } from './errors.ts'

type Resolver = GraphQLFieldResolver<unknown, Context>

/** Who may use a field of Query, Mutation or Subscription. Each of them must say. */
export function Allow(...roles: readonly Role[]): MethodDecorator {
  return Extensions({ roles })
}

/**
 * Puts the guard before every resolver of a schema, which it changes.
 * @throws Error if a field of Query, Mutation or Subscription doesn't declare its roles
 */
export function guard(schema: GraphQLSchema): void {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  for (const type of Object.values(schema.getTypeMap())) {
    if (!(type instanceof GraphQLObjectType) || type.name.startsWith('__')) continue
    const isRoot = roots.includes(type)
    for (const field of Object.values(type.getFields())) {
      const roles = isRoot ? rolesOf(field.extensions, `${type.name}.${field.name}`) : null
      if (field.subscribe) field.subscribe = guarded(field.subscribe, roles)
      if (field.resolve) field.resolve = guarded(field.resolve, roles)
    }
  }
}

function rolesOf(extensions: Readonly<Record<string, unknown>>, field: string): readonly Role[] {
  const roles = extensions['roles']
  if (!Array.isArray(roles) || roles.length === 0) throw new Error(`${field} declares no role: nobody may use it`)
  return roles as Role[]
}

/** @param roles null: no root field, so that whoever came here was let in there */
function guarded(resolver: Resolver, roles: readonly Role[] | null): Resolver {
  return (source, args, context, info) => {
    try {
      if (roles) requireRole(context, roles)
      const result: unknown = resolver(source, args, context, info)
      return result instanceof Promise ? result.catch((error: unknown) => rethrow(error, context)) : result
    } catch (error) {
      return rethrow(error, context)
    }
  }
}

function requireRole({ viewer }: Context, roles: readonly Role[]): void {
  if (!viewer) throw unauthenticated('an admin key is needed: authorization: Bearer …')
  if (!roles.includes(viewer.role)) throw forbidden(`not for a key of role ${viewer.role}`)
}

function rethrow(error: unknown, { origin, log }: Context): never {
  throw toClientError(error, origin.requestId, log)
}
