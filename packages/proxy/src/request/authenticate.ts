import { digest, GatewayError } from '@millrace/shared'

import type { CompiledSnapshot, CompiledToken } from '../snapshot/compiled.ts'

/**
 * The token that a secret belongs to. It is looked up by digest: a wrong secret tells nothing of the right ones.
 * @param secret null where the client sent none
 * @throws GatewayError for one that may not be used now
 */
export function authenticate(secret: string | null, snapshot: CompiledSnapshot): CompiledToken {
  if (!secret) {
    throw new GatewayError('invalid_api_key', 'No API key: send a Millrace token as "Authorization: Bearer sk-mr-…".')
  }
  const token = snapshot.tokens.get(digest(secret))
  if (!token) throw new GatewayError('invalid_api_key', 'This API key is not known here.')
  if (token.revoked) throw new GatewayError('token_revoked', 'This API key was revoked.')
  if (token.expiresAt !== null && token.expiresAt <= Date.now())
    throw new GatewayError('token_expired', 'This API key has expired.')
  if (!token.project.active) throw new GatewayError('project_inactive', 'The project of this API key is not active.')
  return token
}
