import { findAlias, type FoundAlias } from '@millrace/shared'

import type { CompiledAlias, CompiledSnapshot } from '../snapshot/compiled.ts'

/** What a model's name leads to: an alias, or one made up for a provider that is addressed directly. */
export type Found = FoundAlias<CompiledAlias>

/** Null for a model that a project's tokens can't call. */
export function find({ names }: CompiledSnapshot, projectId: string, model: string): Found | null {
  const found = findAlias(names, projectId, model)
  if (found === null || 'alias' in found) return found
  return { alias: found.provider.directAlias!, model: found.model, matched: null }
}
