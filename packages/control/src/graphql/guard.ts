/**
 * What stands between a client and the resolvers, in one place: roles, denied unless declared; what a key reaches; and
 * errors, told only as far as a client may know.
 */
import { GraphQLObjectType, type GraphQLError, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql'
import { Extensions } from 'type-graphql'

import { reaches, Role } from '../access/role.ts'
import type { Context } from './context.ts'
import { forbidden, toClientError, unauthenticated } from './errors.ts'
import { withinReach } from './reach.ts'

type Resolver = GraphQLFieldResolver<unknown, Context>

/** A field of Query, Mutation or Subscription. */
interface Root {
  /** `Mutation.createToken` */
  readonly name: string
  readonly roles: readonly Role[]
  /** Of what is refused, these codes leave an audit event. */
  readonly audited: readonly string[]
}

const RIGHTS = ['UNAUTHENTICATED', 'FORBIDDEN']
const REFUSALS = [...RIGHTS, 'BAD_USER_INPUT', 'NOT_FOUND', 'CONFLICT']

/** Who may use a field of Query, Mutation or Subscription. Each of them must say; a role means those above it, too. */
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
    for (const field of Object.values(type.getFields())) {
      const root = roots.includes(type) ? rootOf(type, field.name, field.extensions) : null
      if (field.subscribe) field.subscribe = guarded(field.subscribe, root)
      if (field.resolve) field.resolve = guarded(field.resolve, root)
    }
  }
}

function rootOf(type: GraphQLObjectType, field: string, { roles }: Readonly<Record<string, unknown>>): Root {
  const name = `${type.name}.${field}`
  if (!Array.isArray(roles) || roles.length === 0) throw new Error(`${name} declares no role: nobody may use it`)
  // What proxies send is no change that somebody was refused.
  const isOperators = type.name === 'Mutation' && !roles.includes(Role.PROXY)
  return { name, roles, audited: isOperators ? REFUSALS : RIGHTS }
}

/** @param root null: no root field, so that whoever came here was let in there */
function guarded(resolver: Resolver, root: Root | null): Resolver {
  return (source, args, context, info) => {
    const refuse = (error: unknown): Promise<never> => {
      const told = toClientError(error, context.origin.requestId, context.log)
      return audited(root, args, context, told)
    }
    try {
      if (root) requireRole(context, root.roles)
      const result: unknown = resolver(source, args, context, info)
      return result instanceof Promise
        ? result.then((value: unknown) => withinReach(value, info.returnType, context.scope)).catch(refuse)
        : withinReach(result, info.returnType, context.scope)
    } catch (error) {
      return refuse(error)
    }
  }
}

function requireRole({ viewer }: Context, roles: readonly Role[]): void {
  if (!viewer) throw unauthenticated('an admin key is needed: authorization: Bearer …')
  if (!roles.some((role) => reaches(viewer.role, role))) throw forbidden(`not for a key of role ${viewer.role}`)
}

async function audited(root: Root | null, args: unknown, context: Context, error: GraphQLError): Promise<never> {
  const { code, field } = error.extensions
  if (root?.audited.includes(String(code)))
    await context.noteRefusal({ subject: root.name, code: String(code), field, args })
  throw error
}
