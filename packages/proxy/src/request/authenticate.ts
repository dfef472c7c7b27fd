import { hash, timingSafeEqual } from 'node:crypto'

import { GatewayError } from '@millrace/shared'

import type { CompiledProject, CompiledSnapshot, CompiledToken } from '../snapshot/compiled.ts'
import type { FoundSecret } from '../snapshot/token-table.ts'

/** `sk-mr-`, the public id, `-`, and what nobody can guess. */
const TOKEN = /^sk-mr-([0-9A-Za-z]{12})-/
const DIGEST_BYTES = 32
/** What a secret is compared with that leads nowhere: so long as with any other. No secret has this digest. */
const NO_DIGEST = '\0'.repeat(DIGEST_BYTES)
/** Used again for each comparison: making buffers costs twice what the digest does. */
const given = Buffer.alloc(DIGEST_BYTES)
const expected = Buffer.alloc(DIGEST_BYTES)

/**
 * The token that a secret belongs to. It is found by its public id; all of it is then compared in constant time.
 * @param secret null where the client sent none
 * @throws GatewayError for one that may not be used now: the same for one that is unknown and one that is no token at all
 */
export function authenticate(secret: string | null, { tokens }: CompiledSnapshot): CompiledToken {
  if (!secret) {
    throw new GatewayError(
      'invalid_api_key',
      'No API key: send a Millrace token as "Authorization: Bearer sk-mr-…" or "x-api-key: sk-mr-…".',
    )
  }
  const publicId = TOKEN.exec(secret)?.[1]
  const found = publicId === undefined ? undefined : tokens.find(publicId)
  if (!isOf(secret, found)) throw new GatewayError('invalid_api_key', 'This API key is not known here.')
  const { until } = found
  const token = tokens.at(found.row)
  if (token.revoked) throw new GatewayError('token_revoked', 'This API key was revoked.')
  const now = Date.now()
  if (until !== null && until <= now) throw new GatewayError('token_revoked', 'This API key was replaced by another.')
  if (token.expiresAt !== null && token.expiresAt <= now)
    throw new GatewayError('token_expired', 'This API key has expired.')
  return token
}

/**
 * The project that a token belongs to.
 * @throws GatewayError if it does not serve
 */
export function projectOf({ projectId }: CompiledToken, { projects }: CompiledSnapshot): CompiledProject {
  const project = projects.get(projectId)
  if (!project?.active) throw new GatewayError('project_inactive', 'The project of this API key is not active.')
  return project
}

function isOf(secret: string, found: FoundSecret | undefined): found is FoundSecret {
  given.write(hash('sha256', secret, 'latin1'), 'latin1')
  expected.write(found === undefined ? NO_DIGEST : found.digest, 'latin1')
  return timingSafeEqual(given, expected) && found !== undefined
}
