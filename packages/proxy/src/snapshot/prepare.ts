import { compileProject } from './compile-subjects.ts'
import { compileRoutingInSteps } from './compile.ts'
import type { CompiledProject, CompiledRouting, CompiledSnapshot } from './compiled.ts'
import type { CompileContext } from './connect-provider.ts'
import type { TokenTable } from './token-table.ts'
import type { Transfer } from './transfer.ts'

/** So many tokens are changed where they stand: it takes a few milliseconds. For more a copy of all is made beside. */
const MOST_IN_PLACE = 5_000

/** What a transfer makes of what is served by. */
export interface Prepared {
  readonly next: CompiledSnapshot
  /** Whether the transfer's tokens are still to be put into the next snapshot's table, which is the current one's too. */
  readonly tokensDue: boolean
}

/**
 * Does all that may fail or takes long of a complete transfer. What it does not replace is shared with the current snapshot.
 * A piece at a time: requests are served in between.
 * @throws Error if what it makes contradicts itself
 */
export function* prepareInSteps(
  transfer: Transfer,
  current: CompiledSnapshot | null,
  context: CompileContext,
): Generator<void, Prepared> {
  const routing = transfer.replaces('routing') ? yield* compileRoutingInSteps(transfer, context) : inForce(current)
  const projects = transfer.replaces('projects') ? yield* compileProjects(transfer) : inForce(current).projects
  for (const { projectId, tokenId } of transfer.tokenProjects.values())
    if (!projects.has(projectId))
      throw new Error(`malformed snapshot: token ${tokenId} names a project that is not in it`)
  const tokens = transfer.tokens ?? inForce(current).tokens
  const changed = transfer.changedTokens.length + transfer.removedTokens.length
  const copied = transfer.tokens === null && changed > MOST_IN_PLACE
  const { revision, mark } = transfer
  const { names, passed, reached, connections, unopened }: CompiledRouting = routing
  return {
    next: {
      revision,
      mark,
      tokens: copied ? yield* changedCopy(tokens, transfer) : tokens,
      projects,
      names,
      passed,
      reached,
      connections,
      unopened,
    },
    tokensDue: transfer.tokens === null && !copied,
  }
}

/** Puts a transfer's tokens into a table, at once. */
export function changeTokens(tokens: TokenTable, { removedTokens, changedTokens }: Transfer): void {
  for (const id of removedTokens) tokens.delete(id)
  for (const token of changedTokens) tokens.set(token)
}

function* changedCopy(tokens: TokenTable, { removedTokens, changedTokens }: Transfer): Generator<void, TokenTable> {
  const copy = yield* tokens.copyInSteps()
  for (const id of removedTokens) {
    copy.delete(id)
    yield
  }
  for (const token of changedTokens) {
    copy.set(token)
    yield
  }
  return copy
}

function* compileProjects({ projects }: Transfer): Generator<void, Map<string, CompiledProject>> {
  const compiled = new Map<string, CompiledProject>()
  for (const project of projects) {
    compiled.set(project.id, compileProject(project))
    yield
  }
  return compiled
}

function inForce(current: CompiledSnapshot | null): CompiledSnapshot {
  if (current === null) throw new Error('malformed snapshot: it changes what is not there')
  return current
}
