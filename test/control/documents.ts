/** The operations that these suites use, as an operator's tool would hold them. */

const ACCESS = 'access { models endpoints methods origins ipRanges params requiredHeaders ownKeys }'
const LIMITED =
  'limits { requestsPerMinute tokensPerMinute maxConcurrent } budget { limitUsd period spentUsd resetsAt }'
const PROVIDER = `id name kind baseUrl enabled direct maxConcurrency settings timeouts { connect firstToken idle total }
  breaker { errorRate minRequests windowSeconds consecutiveFailures openSeconds maxOpenSeconds }
  credentials { id label fingerprint enabled project { id } } ${ACCESS}`
const ROUTE =
  'id name providerModel priority weight enabled condition inputPrice outputPrice cachedInputPrice provider { id } alias { id }'
const ALIAS = `id name enabled strategy project { id } sticky { scope ttlSeconds }
  retry { maxAttempts initialBackoffMs multiplier maxBackoffMs jitter } hedge { afterMs maxExtraPercent }
  cache { enabled ttlSeconds shareAcrossProject coalesce storeToolCalls replayPace }
  timeouts { connect firstToken idle total } timeoutOverrides unknownParameters routes { ${ROUTE} }`
const PROJECT = `id name active deactivatedAt ${LIMITED}`
const TOKEN = `id name prefix status expiresAt revokedAt maxRequests requestCount cacheHitCount lastUsedAt metadata
  ${ACCESS} ${LIMITED} project { id }`

export const CREATE_PROVIDER = `mutation ($input: CreateProviderInput!) { it: createProvider(input: $input) { ${PROVIDER} } }`
export const UPDATE_PROVIDER = `mutation ($id: ID!, $input: UpdateProviderInput!) { it: updateProvider(id: $id, input: $input) { ${PROVIDER} } }`
export const DELETE_PROVIDER = 'mutation ($id: ID!) { it: deleteProvider(id: $id) }'
export const SET_BREAKER =
  'mutation ($provider: ID!, $state: BreakerState!) { it: setBreaker(provider: $provider, state: $state) { state } }'
export const PROVIDERS = `{ it: providers { ${PROVIDER} } }`
export const ADD_CREDENTIAL =
  'mutation ($provider: ID!, $input: CredentialInput!) { it: addCredential(provider: $provider, input: $input) { id label fingerprint enabled project { id } } }'
export const SET_CREDENTIAL_ENABLED =
  'mutation ($id: ID!, $enabled: Boolean!) { it: setCredentialEnabled(id: $id, enabled: $enabled) { enabled } }'
export const DELETE_CREDENTIAL = 'mutation ($id: ID!) { it: deleteCredential(id: $id) }'
export const CREATE_ALIAS = `mutation ($input: CreateAliasInput!) { it: createAlias(input: $input) { ${ALIAS} } }`
export const UPDATE_ALIAS = `mutation ($id: ID!, $input: UpdateAliasInput!) { it: updateAlias(id: $id, input: $input) { ${ALIAS} } }`
export const DELETE_ALIAS = 'mutation ($id: ID!) { it: deleteAlias(id: $id) }'
export const ALIAS_BY_NAME = `query ($name: String, $project: ID) { it: alias(name: $name, project: $project) { ${ALIAS} } }`
export const ADD_ROUTE = `mutation ($alias: ID!, $input: RouteInput!) { it: addRoute(alias: $alias, input: $input) { ${ROUTE} } }`
export const UPDATE_ROUTE = `mutation ($id: ID!, $input: UpdateRouteInput!) { it: updateRoute(id: $id, input: $input) { ${ROUTE} } }`
export const DELETE_ROUTE = 'mutation ($id: ID!) { it: deleteRoute(id: $id) }'
export const CREATE_PROJECT = `mutation ($input: CreateProjectInput!) { it: createProject(input: $input) { ${PROJECT} } }`
export const UPDATE_PROJECT = `mutation ($id: ID!, $input: UpdateProjectInput!) { it: updateProject(id: $id, input: $input) { ${PROJECT} } }`
export const PROJECTS = `{ it: projects { ${PROJECT} } }`
export const CREATE_TOKEN = `mutation ($input: CreateTokenInput!) { it: createToken(input: $input) { secret token { ${TOKEN} } } }`
export const UPDATE_TOKEN = `mutation ($id: ID!, $input: UpdateTokenInput!) { it: updateToken(id: $id, input: $input) { ${TOKEN} } }`
export const ROTATE_TOKEN = `mutation ($id: ID!, $graceSeconds: Int) { it: rotateToken(id: $id, graceSeconds: $graceSeconds) { secret token { ${TOKEN} } } }`
export const REVOKE_PROJECT_TOKENS =
  'mutation ($project: ID!) { it: revokeProjectTokens(project: $project) { revoked alreadyRevoked total } }'
export const REVOKE_TOKEN = `mutation ($id: ID!) { it: revokeToken(id: $id) { ${TOKEN} } }`
export const TOKEN_BY_ID = `query ($id: ID!) { it: token(id: $id) { ${TOKEN} } }`
export const TOKENS = `query ($project: ID, $status: TokenStatus, $search: String, $first: Int, $after: String) {
  it: tokens(project: $project, status: $status, search: $search, first: $first, after: $after) {
    edges { node { ${TOKEN} } } pageInfo { hasNextPage endCursor }
  }
}`
export const CREATE_ADMIN_KEY =
  'mutation ($name: String!, $role: Role!) { it: createAdminKey(name: $name, role: $role) { secret adminKey { id name role prefix } } }'
export const REVOKE_ADMIN_KEY = 'mutation ($id: ID!) { it: revokeAdminKey(id: $id) { revokedAt } }'
export const NEWEST_REVISION =
  '{ it: configRevision { number author message changes { action kind name path before after } } }'
export const REVISIONS = '{ it: configRevisions(first: 500) { edges { node { number changes { before after } } } } }'
export const AUDIT =
  '{ it: auditEvents(first: 500) { edges { node { actor action subject result requestId clientIp details project { id } } } } }'
