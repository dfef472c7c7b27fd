/** What models on Bedrock can be asked, by their names: what one does not know it refuses a request for. */
import { ByName } from '../../canonical/by-name.ts'
import { abilitiesOf, type Abilities } from '../../canonical/claude.ts'

/** Who made a model, where that decides over its words. */
export type Family = 'claude' | 'nova' | 'nova2' | 'cohere' | 'ai21' | 'mistral' | 'gpt-oss' | 'gpt' | 'kimi' | 'other'

export interface Model {
  readonly family: Family
  /** Null: it is no Claude. */
  readonly claude: Abilities | null
  /** Whether it holds to a JSON Schema of itself (Bedrock's guide "Get validated JSON results from models"). */
  readonly schemas: boolean
  readonly callsTools: boolean
  /** How it can be made to call a tool: one by its name, any of them, or not at all. */
  readonly forcing: 'tool' | 'any' | 'none'
  /** Whether it is told which results of tools are errors. */
  readonly toolStatus: boolean
  /** Whether it keeps what it has read, where it is told to. */
  readonly caches: boolean
  readonly cachesTools: boolean
  /** Whether it keeps that for an hour, where it is told to. */
  readonly cachesLong: boolean
}

const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  [/claude/, 'claude'],
  [/nova-2-/, 'nova2'],
  [/nova-/, 'nova'],
  [/cohere\.command/, 'cohere'],
  [/ai21\./, 'ai21'],
  [/gpt-oss/, 'gpt-oss'],
  [/openai\.gpt-/, 'gpt'],
  [/kimi/, 'kimi'],
  [/mistral\./, 'mistral'],
]
const SCHEMAS =
  /openai\.|qwen\.|deepseek\.v|kimi|minimax\.|google\.gemma-3|nvidia\.|zai\.|mistral\.(?:magistral|ministral|voxtral|devstral|mistral-large-3)/
const NO_TOOLS = /titan-text|deepseek\.r1|llama2|llama3-\d+b|mistral-7b|mixtral|jamba-instruct/
const CACHES = /claude-3-5-haiku|claude-3-5-sonnet-20241022|claude-(?:3-7|[a-z]+-\d)|nova-/

const known = new ByName(read)

/** @param name an id, an inference profile's, or an ARN that has one of them in it */
export function modelOf(name: string): Model {
  return known.of(name)
}

function read(name: string): Model {
  const family = FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? 'other'
  const claude = family === 'claude' ? abilitiesOf(name) : null
  const ofAmazon = family === 'nova' || family === 'nova2'
  const schemas = claude?.schemas ?? SCHEMAS.test(name)
  const byName = claude === null ? ofAmazon || family === 'gpt' || family === 'gpt-oss' : claude.forced
  return {
    family,
    claude,
    schemas,
    callsTools: !NO_TOOLS.test(name),
    // What holds a model to a schema can hold it to calling a tool as well.
    forcing: byName ? 'tool' : claude === null && (schemas || family === 'mistral') ? 'any' : 'none',
    toolStatus: claude !== null || ofAmazon,
    caches: CACHES.test(name),
    cachesTools: claude !== null,
    cachesLong: claude !== null && schemas,
  }
}

/** Below the base URL. @param operation its last segment */
export function pathOf(model: string, operation: string): string {
  return `/model/${encodeURIComponent(model.toWellFormed())}/${operation}`
}
