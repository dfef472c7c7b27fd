/** What Claude models can be asked, by their names: the API refuses what one of them does not know. */
import { ByName } from './by-name.ts'

/** How a model is told to think. */
export type Thinking =
  /** It does not think. */
  | 'never'
  /** With a budget of tokens. */
  | 'budget'
  /** As it sees fit; the effort guides it. */
  | 'adaptive'

/** What turns off the thinking of a model that thinks unless it is told not to. */
export type ThinkingOff =
  /** It thinks only if it is asked to. */
  | 'unasked'
  | 'disabled'
  | 'between_tools'
  /** Nothing does. */
  | 'never'

export interface Abilities {
  readonly thinking: Thinking
  readonly thinkingOff: ThinkingOff
  /** Whether it takes a budget of tokens to think with, be it not the only way. */
  readonly budgets: boolean
  /** Whether it takes `temperature`, `top_p` and `top_k`. */
  readonly sampling: boolean
  /** Whether it takes `temperature` and `top_p` in one request. */
  readonly bothSampling: boolean
  /** Whether it answers by a JSON Schema of itself, and holds to the schemas of strict tools. */
  readonly schemas: boolean
  /** Whether it knows the efforts between `high` and `max`. */
  readonly xhigh: boolean
  /** Whether it can be made to call a tool. */
  readonly forced: boolean
  /** Whether what it thinks is shown only to who asks for that. */
  readonly hides: boolean
  /** Tokens of an answer whose client sets no limit: the API wants one. */
  readonly maxTokens: number
}

/** Of a name that tells nothing: another's model behind Anthropic's API. */
const UNKNOWN: Abilities = {
  thinking: 'budget',
  thinkingOff: 'unasked',
  budgets: true,
  sampling: true,
  bothSampling: true,
  schemas: false,
  xhigh: false,
  forced: true,
  hides: false,
  maxTokens: 8_192,
}

const VERSION_AFTER = /claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/
const VERSION_BEFORE = /claude-(?:instant-)?v?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/
/** A preview that came before the models with versions of its family. */
const NAMELESS = /claude-([a-z]+)/

const known = new ByName(read)

/** @param model as the provider names it, on Bedrock and Vertex too */
export function abilitiesOf(model: string): Abilities {
  return known.of(model)
}

function read(model: string): Abilities {
  const after = VERSION_AFTER.exec(model)
  if (after) return abilities(after[1]!, Number(after[2]) + Number(after[3] ?? 0) / 10)
  const before = VERSION_BEFORE.exec(model)
  if (before) return abilities('', Number(before[1]) + Number(before[2] ?? 0) / 10)
  const nameless = NAMELESS.exec(model)
  return nameless ? abilities(nameless[1]!, 4.7) : UNKNOWN
}

function abilities(family: string, version: number): Abilities {
  const alwaysThinks = version >= 5 && ((family === 'opus' && version > 5) || family === 'fable' || family === 'mythos')
  return {
    thinking: version >= 4.6 ? 'adaptive' : version >= 3.7 ? 'budget' : 'never',
    thinkingOff: version < 5 ? 'unasked' : alwaysThinks ? 'never' : offOf(family, version),
    budgets: version >= 3.7 && version < 4.7,
    sampling: version < 4.7,
    bothSampling: version < 4.1,
    schemas: version >= 4.5,
    xhigh: version >= 4.7,
    forced: version <= 5 || family === 'haiku',
    hides: version >= 4.7,
    maxTokens: maxTokensOf(family, version),
  }
}

function offOf(family: string, version: number): ThinkingOff {
  return family === 'sonnet' && version > 5 ? 'between_tools' : 'disabled'
}

function maxTokensOf(family: string, version: number): number {
  if (version < 3.5) return 4_096
  if (version < 3.7) return 8_192
  return family === 'opus' && version < 4.5 ? 32_000 : 64_000
}
