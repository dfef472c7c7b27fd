/** What a token's clients may ask for, and what may be asked of a provider: compiled once, asked of each request. */
import { AccessRules, type Access } from '@millrace/shared'

export type CompiledAccess = AccessRules

/** Rules by the JSON of their policy, as long as anything has them: thousands of tokens may share one. */
const known = new Map<string, WeakRef<CompiledAccess>>()
const forgotten = new FinalizationRegistry<string>((json) => {
  if (known.get(json)?.deref() === undefined) known.delete(json)
})

/** @returns null where everything is allowed but upstream keys of the client's own */
export function compileAccess(policy: Access | null): CompiledAccess | null {
  if (policy === null || Object.values(policy).every(isDefault)) return null
  const json = JSON.stringify(policy)
  const before = known.get(json)?.deref()
  if (before !== undefined) return before
  const rules = new AccessRules(policy)
  known.set(json, new WeakRef(rules))
  forgotten.register(rules, json)
  return rules
}

function isDefault(value: Access[keyof Access]): boolean {
  return value === null || value === false
}
