/** Who may ask: projects and tokens, as requests read them. */
import { TOKEN_PREFIX, type SnapshotProject, type SnapshotSecret, type SnapshotToken } from '@millrace/shared'

import { compileAccess } from '../access/access.ts'
import { limitedSubject } from '../limits/subject.ts'
import type { CompiledProject, CompiledToken } from './compiled.ts'
import type { TokenSecret, TokenWithSecrets } from './token-table.ts'

export function compileProject(project: SnapshotProject): CompiledProject {
  const { id, name, active } = project
  return { id, name, active, limited: limitedSubject('project', project) }
}

/** @param projectId the token's, as the same text that others of the project hold: there may be a hundred thousand */
export function compileToken(settings: SnapshotToken, projectId: string): TokenWithSecrets {
  const { id, name, revoked, expiresAt, secrets, access } = settings
  const token: CompiledToken = {
    id,
    name,
    projectId,
    revoked,
    expiresAt: timeOf(expiresAt),
    limited: limitedSubject('token', settings),
    access: compileAccess(access),
  }
  return { token, secrets: secrets.map(compileSecret) }
}

function compileSecret({ prefix, digest, until }: SnapshotSecret): TokenSecret {
  return { publicId: publicIdOf(prefix), digest: Buffer.from(digest, 'hex').toString('latin1'), until: timeOf(until) }
}

/** The characters after `sk-mr-`, or all of a prefix that is not of that form. */
function publicIdOf(prefix: string): string {
  return prefix.startsWith(TOKEN_PREFIX) ? prefix.slice(TOKEN_PREFIX.length) : prefix
}

function timeOf(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso)
}
