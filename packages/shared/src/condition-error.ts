/** A route's condition that cannot be used. The message names the place and what to do there. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError'
  /** From the condition's root to what is wrong; empty: the root itself. */
  readonly path: readonly (string | number)[]
  /** What to do, without the place. */
  readonly reason: string
  constructor(path: readonly (string | number)[], reason: string) {
    super(`${path.length === 0 ? 'condition' : path.join('.')}: ${reason}`)
    this.path = path
    this.reason = reason
  }
}
