/** Transfers as a control plane sends them, made without one, and what they are taken by. */
import {
  newId,
  newMasterKey,
  newSecret,
  parseMasterKey,
  partsOf,
  SNAPSHOT_FORMAT,
  TOKEN_PREFIX,
  wholeTransfer,
  type GatewayError,
  type Snapshot,
  type SnapshotPart,
  type SnapshotSecret,
  type SnapshotToken,
  type TransferContents,
} from '@millrace/shared'
import { pino } from 'pino'

import { Health } from '../../../packages/proxy/dist/health/health.js'
import { authenticate, projectOf } from '../../../packages/proxy/dist/request/authenticate.js'
import { Configuration } from '../../../packages/proxy/dist/snapshot/configuration.js'
import { SnapshotFile } from '../../../packages/proxy/dist/snapshot/file.js'
import { Pools } from '../../../packages/proxy/dist/upstream/pools.js'

export const MARK = 'mark'
export const PROJECT = { id: newId(), name: 'p', active: true, limits: null, budget: null, used: null }
const NOTHING = { providers: [], aliases: [], projects: [], tokens: [], removedTokens: [] }

export interface Loaded {
  readonly file: SnapshotFile
  readonly configuration: Configuration
}

/** What a proxy that starts has of it. @param writes whether it keeps the file */
export function load(dataDir: string, writes = true): Loaded {
  const log = pino({ level: 'silent' })
  const ignore = (): void => undefined
  const context = {
    pools: new Pools(true),
    health: new Health(ignore, ignore),
    masterKeys: [parseMasterKey(newMasterKey())],
    env: {},
    envAllow: [],
    log,
  }
  const file = new SnapshotFile(dataDir, log, writes)
  return { file, configuration: new Configuration(context, file, undefined) }
}

export interface MadeToken {
  readonly token: SnapshotToken
  /** Its secrets, the one in use first. */
  readonly clear: readonly string[]
}

/** @param untils when each of its secrets ceases to be good */
export function newToken(untils: readonly (string | null)[] = [null], over: Partial<SnapshotToken> = {}): MadeToken {
  const made = untils.map((until) => ({ ...newSecret(TOKEN_PREFIX), until }))
  const token: SnapshotToken = {
    id: newId(),
    name: 'a token',
    projectId: PROJECT.id,
    secrets: made.map(({ prefix, digest, until }): SnapshotSecret => ({ prefix, digest, until })),
    revoked: false,
    expiresAt: null,
    maxRequests: null,
    limits: null,
    budget: null,
    used: null,
    access: null,
    ...over,
  }
  return { token, clear: made.map(({ secret }) => secret) }
}

/** The parts of a whole transfer. */
export function whole(revision: number, tokens: readonly SnapshotToken[], most?: number): SnapshotPart[] {
  const snapshot: Snapshot = { ...NOTHING, format: SNAPSHOT_FORMAT, revision, projects: [PROJECT], tokens }
  return [...partsOf(wholeTransfer(snapshot, MARK), most)]
}

/** The parts of the transfer that leads from one revision to the next. */
export function step(since: number, over: Partial<TransferContents>, most?: number): SnapshotPart[] {
  return [...partsOf({ ...NOTHING, revision: since + 1, mark: MARK, since, replaces: [], ...over }, most)]
}

/** Takes parts as they come: as JSON that was read. @returns what became of the last */
export async function take({ configuration }: Loaded, parts: readonly unknown[]): Promise<string> {
  let taken = ''
  for (const part of parts) taken = await configuration.take(JSON.parse(JSON.stringify(part)))
  return taken
}

/** The token that a secret leads to, or the code of the refusal. */
export function askWith({ configuration }: Loaded, secret: string): string {
  try {
    const token = authenticate(secret, configuration.current!)
    projectOf(token, configuration.current!)
    return token.id
  } catch (error) {
    return (error as GatewayError).code
  }
}
