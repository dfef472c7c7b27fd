/** The schema, from the resolvers' classes. */
import 'reflect-metadata'
import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql'
import { buildSchemaSync } from 'type-graphql'

import { AdminKeyResolver } from '../access/admin-key.resolver.ts'
import { ViewerResolver } from '../access/viewer.resolver.ts'
import { AliasResolver } from '../aliases/alias.resolver.ts'
import { RouteResolver } from '../aliases/route.resolver.ts'
import { AuditResolver } from '../audit/audit.resolver.ts'
import { CacheResolver } from '../cache/cache.resolver.ts'
import { DebugExchangeResolver, DebugResolver } from '../debug/debug.resolver.ts'
import { CandidateResolver } from '../decisions/candidate.resolver.ts'
import { DecisionResolver } from '../decisions/decision.resolver.ts'
import { ExplainResolver } from '../decisions/explain.resolver.ts'
import { HealthResolver } from '../health/health.resolver.ts'
import { InFlightResolver } from '../inflight/in-flight.resolver.ts'
import { QuestionResolver } from '../inflight/question.resolver.ts'
import { InstructionResolver } from '../instructions/instruction.resolver.ts'
import { ProjectResolver } from '../projects/project.resolver.ts'
import { CredentialResolver } from '../providers/credential.resolver.ts'
import { ProviderResolver } from '../providers/provider.resolver.ts'
import { ProxyResolver } from '../proxies/proxy.resolver.ts'
import { AttemptResolver } from '../requests/attempt.resolver.ts'
import { FeedResolver } from '../requests/feed.resolver.ts'
import { RequestResolver } from '../requests/request.resolver.ts'
import { RevisionResolver } from '../revisions/revision.resolver.ts'
import { SnapshotResolver } from '../snapshot/snapshot.resolver.ts'
import { SpendingResolver } from '../spending/spending.resolver.ts'
import { StickyResolver } from '../sticky/sticky.resolver.ts'
import { TokenResolver } from '../tokens/token.resolver.ts'
import { UsageResolver } from '../usage/usage.resolver.ts'
import { guard } from './guard.ts'

/**
 * The executable schema, with the guard before every resolver.
 * @throws Error if a field of Query, Mutation or Subscription doesn't declare who may use it
 */
export function createSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      AdminKeyResolver,
      AliasResolver,
      AttemptResolver,
      AuditResolver,
      CacheResolver,
      CandidateResolver,
      CredentialResolver,
      DebugExchangeResolver,
      DebugResolver,
      DecisionResolver,
      ExplainResolver,
      FeedResolver,
      HealthResolver,
      InFlightResolver,
      InstructionResolver,
      ProjectResolver,
      ProviderResolver,
      ProxyResolver,
      QuestionResolver,
      RequestResolver,
      RevisionResolver,
      RouteResolver,
      SnapshotResolver,
      SpendingResolver,
      StickyResolver,
      TokenResolver,
      UsageResolver,
      ViewerResolver,
    ],
    // Input is validated by the services, with zod.
    validate: false,
    // Every subscription brings its own source; type-graphql wants one all the same.
    pubSub: { publish: unused, subscribe: unused },
  })
  guard(schema)
  return schema
}

/** The schema as it stands in the repository's `schema.graphql`. */
export function printedSchema(): string {
  return `# Emitted by packages/control/src/emit-schema.ts; not to be edited.\n\n${printSchema(lexicographicSortSchema(createSchema()))}\n`
}

function unused(): never {
  throw new Error('no subscription goes by topic')
}
