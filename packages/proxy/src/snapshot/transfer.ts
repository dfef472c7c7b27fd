/**
 * A transfer on its way in: what its parts held so far, read and, where there is much of it, compiled. Changes nothing that
 * is served by. Must never know where it comes from or how it is put in place.
 */
import {
  readAlias,
  readProject,
  readProvider,
  readToken,
  SNAPSHOT_GROUPS,
  type SnapshotAlias,
  type SnapshotGroup,
  type SnapshotPart,
  type SnapshotPosition,
  type SnapshotProject,
  type SnapshotProvider,
} from '@millrace/shared'

import { compileToken } from './compile-subjects.ts'
import { TokenTable, type TokenWithSecrets } from './token-table.ts'

interface TokenOfProject {
  readonly projectId: string
  readonly tokenId: string
}

export class Transfer {
  readonly revision: number
  readonly mark: string
  readonly since: number | null
  readonly providers: SnapshotProvider[] = []
  readonly aliases: SnapshotAlias[] = []
  readonly projects: SnapshotProject[] = []
  /** All tokens, where the transfer replaces them; then there are no {@link changedTokens}. */
  readonly tokens: TokenTable | null
  readonly changedTokens: TokenWithSecrets[] = []
  readonly removedTokens: string[] = []
  /** One of its tokens for each project that any belong to, by the project's id. */
  readonly tokenProjects = new Map<string, TokenOfProject>()
  private readonly replaced: ReadonlySet<SnapshotGroup>
  private parts = 0
  private complete = false

  /**
   * @param first its first part; still to be {@link readInSteps}
   * @param at where the proxy stands; null: nowhere
   * @throws Error if the transfer can't be taken from there
   */
  constructor(first: SnapshotPart, at: SnapshotPosition | null) {
    const { revision, mark, since, replaces } = first
    this.revision = revision
    this.mark = mark
    this.since = since
    this.replaced = new Set(replaces)
    this.tokens = this.replaces('tokens') ? new TokenTable() : null
    if (since === null && this.replaced.size < SNAPSHOT_GROUPS.length) throw new Error('a whole snapshot lacks groups')
    if (since !== null && (at === null || since !== at.revision || mark !== at.mark))
      throw new Error(`it follows revision ${since} (${mark}), where this proxy is not`)
  }

  get isComplete(): boolean {
    return this.complete
  }

  replaces(group: SnapshotGroup): boolean {
    return this.replaced.has(group)
  }

  /** Whether it only says that nothing has changed. */
  get isEmpty(): boolean {
    return (
      this.revision === this.since &&
      this.replaced.size === 0 &&
      this.changedTokens.length === 0 &&
      this.removedTokens.length === 0
    )
  }

  /** Reads the next part. @throws Error if it is not this transfer's next, or holds what can't be read */
  *readInSteps(part: SnapshotPart): Generator<void, void> {
    this.expect(part)
    this.parts++
    for (const [index, value] of part.providers.entries()) {
      this.providers.push(readProvider(value, index))
      yield
    }
    for (const [index, value] of part.aliases.entries()) {
      this.aliases.push(readAlias(value, index))
      yield
    }
    for (const [index, value] of part.projects.entries()) {
      this.projects.push(readProject(value, index))
      yield
    }
    for (const [index, value] of part.tokens.entries()) {
      this.addToken(value, index)
      yield
    }
    this.removedTokens.push(...part.removedTokens)
    this.complete = part.last
  }

  private addToken(value: unknown, index: number): void {
    const settings = readToken(value, index)
    const { projectId } = settings
    let first = this.tokenProjects.get(projectId)
    if (first === undefined) {
      first = { projectId, tokenId: settings.id }
      this.tokenProjects.set(projectId, first)
    }
    const token = compileToken(settings, first.projectId)
    if (this.tokens === null) this.changedTokens.push(token)
    else this.tokens.set(token)
  }

  private expect(part: SnapshotPart): void {
    const { revision, mark, since, index, replaces, providers, aliases, projects } = part
    if (index !== this.parts) throw new Error(`part ${index} came where ${this.parts} was due`)
    if (revision !== this.revision || mark !== this.mark || since !== this.since)
      throw new Error('a part of another transfer came in between')
    if (replaces.length !== this.replaced.size || replaces.some((group) => !this.replaced.has(group)))
      throw new Error('its parts disagree about what it replaces')
    if (providers.length + aliases.length > 0 && !this.replaces('routing'))
      throw new Error('it holds half of its routing')
    if (projects.length > 0 && !this.replaces('projects')) throw new Error('it holds some of its projects')
  }
}
