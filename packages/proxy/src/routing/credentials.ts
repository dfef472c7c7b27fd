/** Which of a provider's upstream keys an attempt goes with. */
import type { CompiledProvider, Credential } from '../snapshot/compiled.ts'

/** Those that a project's requests may go with: its own, or where it was given none the shared ones. */
export function credentialsFor(provider: CompiledProvider, projectId: string): readonly Credential[] {
  return provider.projectCredentials.get(projectId) ?? provider.sharedCredentials
}

/**
 * The first that does not cool down; one that was lately refused only if there is no other.
 * @param except those that this request has been refused with
 * @param now as `performance.now()`
 */
export function pickCredential(
  credentials: readonly Credential[],
  now: number,
  except: readonly Credential[] = NONE,
): Credential | null {
  let distrusted: Credential | null = null
  for (const credential of credentials) {
    if (credential.health.coolingUntil > now || except.includes(credential)) continue
    if (credential.health.distrustedUntil <= now) return credential
    distrusted ??= credential
  }
  return distrusted
}

const NONE: readonly Credential[] = []

/** When the first of them will have cooled down, as `performance.now()`; Infinity of none. */
export function cooledAt(credentials: readonly Credential[]): number {
  let first = Infinity
  for (const { health } of credentials) first = Math.min(first, health.coolingUntil)
  return first
}
