/** Which paths a provider is asked for as they come, and which of them concern what somebody has left there. */
import { GlobList, matchesGlob, type PassthroughSettings } from '@millrace/shared'

const LONGEST_PATH = 256

/** A provider's settings, made ready to be asked. */
export class PassthroughRules {
  private readonly endpoints: GlobList
  private readonly globs: readonly string[]
  private readonly methods: readonly string[] | null

  constructor({ endpoints, methods }: PassthroughSettings) {
    this.endpoints = new GlobList(endpoints)
    this.globs = endpoints
    this.methods = methods
  }

  lists(method: string, endpoint: string): boolean {
    return (this.methods === null || this.methods.includes(method)) && this.endpoints.has(endpoint)
  }

  /** The first glob of the settings that a path is listed by; null: none, or the path is too long to be looked for. */
  listedAs(endpoint: string): string | null {
    if (endpoint.length > LONGEST_PATH) return null
    for (const glob of this.globs) if (matchesGlob(glob, endpoint)) return glob
    return null
  }
}

/**
 * What follows `/v1/` where a provider keeps what its account's users have made: OpenAI's API reference, and the state
 * that compatible servers keep by the same names. Whoever asks there with the account's key sees all of it.
 */
const STATEFUL: ReadonlySet<string> = new Set([
  'assistants',
  'batches',
  'chat',
  'chatkit',
  'containers',
  'conversations',
  'evals',
  'files',
  'fine-tunes',
  'fine_tuning',
  'memories',
  'models',
  'organization',
  'organizations',
  'projects',
  'realtime',
  'responses',
  'sessions',
  'skills',
  'threads',
  'uploads',
  'vector_stores',
  'videos',
])
/** The same below a path that keeps none itself. */
const STATEFUL_BELOW: ReadonlySet<string> = new Set(['audio/voices', 'audio/voice_consents'])

/** What is asked for by POST below such a path, and leaves nothing there. */
const STATELESS: ReadonlySet<string> = new Set(['/v1/responses/compact', '/v1/responses/input_tokens'])

/**
 * Whether a path concerns what is kept at the provider: it needs an account that is the asker's own. Only the words count that
 * segments begin with: some servers cut off what follows them (`files;a`, `files.json`, `files%3Fa`).
 */
export function keepsState(method: string, endpoint: string): boolean {
  if (method === 'POST' && STATELESS.has(endpoint)) return false
  const [, , first = '', second = ''] = endpoint.toLowerCase().split('/')
  return STATEFUL.has(wordOf(first)) || STATEFUL_BELOW.has(`${wordOf(first)}/${wordOf(second)}`)
}

function wordOf(segment: string): string {
  return /^[a-z_-]*/.exec(segment)![0]
}
