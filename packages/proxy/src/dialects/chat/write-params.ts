/** What a chat completion's request asks for besides its messages; and what of it cannot be said. */
import { createHash } from 'node:crypto'

import { budgetOf, effortOf, isOff } from '../../canonical/reasoning.ts'
import type { ChatRequest, Effort, ParamName, Params, Reasoning } from '../../canonical/request.ts'
import { TIERS } from './saying.ts'
import type { ChatWireOptions } from './wire-options.ts'

/** By OpenAI's names, whichever the provider has. */
export type Body = Record<string, unknown>

const NAMES: Readonly<Partial<Record<keyof Params, string>>> = {
  maxTokens: 'max_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop',
  seed: 'seed',
  choices: 'n',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  logitBias: 'logit_bias',
  logprobs: 'logprobs',
  topLogprobs: 'top_logprobs',
  user: 'user',
  metadata: 'metadata',
  serviceTier: 'service_tier',
  verbosity: 'verbosity',
  modalities: 'modalities',
  audio: 'audio',
  promptCacheKey: 'prompt_cache_key',
}

/** Those that not all know. */
const RARE: ReadonlySet<string> = new Set([
  'top_k',
  'metadata',
  'service_tier',
  'verbosity',
  'modalities',
  'audio',
  'prompt_cache_key',
])

export class ParamWriting {
  readonly body: Body = {}
  readonly dropped: string[]
  private readonly request: ChatRequest
  private readonly options: ChatWireOptions

  constructor(request: ChatRequest, options: ChatWireOptions) {
    this.request = request
    this.options = options
    this.dropped = [...new Set(request.unknown)]
  }

  /** @param name canonical, for what the client calls it */
  drop(name: ParamName, otherwise: string): void {
    const own = this.request.named[name] ?? otherwise
    if (!this.dropped.includes(own)) this.dropped.push(own)
  }

  /** @param name as OpenAI has it */
  set(param: ParamName, name: string, value: unknown): void {
    const { rename, drop, extra } = this.options
    if (drop.includes(name) || (RARE.has(name) && !extra.includes(name))) this.drop(param, name)
    else this.body[rename[name] ?? name] = value
  }

  writeParams(): void {
    const { params } = this.request
    for (const [param, name] of Object.entries(NAMES) as [keyof Params, string][]) {
      const value = params[param]
      if (value === null || isDefault(param, value)) continue
      if (param === 'maxTokens') this.body[this.options.maxTokens] = value
      else if (param === 'serviceTier' && !TIERS.has(value as string)) this.drop(param, name)
      else this.set(param, name, param === 'user' ? userOf(value as string) : value)
    }
  }

  writeReasoning(): void {
    const { reasoning } = this.request
    if (reasoning === null || !asks(reasoning)) return
    const { effort, budget, enabled } = reasoning
    switch (this.options.reasoning) {
      case 'reasoning_effort':
        // Off is what models that cannot think know no word for.
        if (effort === null && budget === null) {
          if (enabled === false) this.drop('reasoning', 'reasoning_effort')
        } else this.set('reasoning', 'reasoning_effort', effort ?? within(effortOf(budget!)))
        break
      case 'reasoning':
        this.set('reasoning', 'reasoning', openRouters(reasoning))
        break
      case 'thinking':
        this.set('reasoning', 'thinking', { type: isOff(reasoning) ? 'disabled' : 'enabled' })
        if (effort !== null && effort !== 'none' && this.options.extra.includes('reasoning_effort')) {
          this.body['reasoning_effort'] = effort
        }
        break
      case 'enable_thinking':
        this.set('reasoning', 'enable_thinking', !isOff(reasoning))
        if (!isOff(reasoning) && (budget !== null || effort !== null)) {
          this.body['thinking_budget'] = budget ?? budgetOf(effort!)
        }
        break
      case null:
        this.drop('reasoning', 'reasoning_effort')
    }
  }
}

/** OpenAI's; OpenRouter takes twice as many. Anthropic's clients send more. */
const LONGEST_USER = 64

/** Who it is for, by a digest where that is too long. */
function userOf(user: string): string {
  return user.length > LONGEST_USER ? createHash('sha256').update(user).digest('hex') : user
}

/** Whether or not it is to be shown is not for the provider to decide. */
function asks({ effort, budget, enabled }: Reasoning): boolean {
  return effort !== null || budget !== null || enabled !== null
}

function openRouters({ effort, budget, enabled, shown }: Reasoning): Body {
  return {
    ...(effort !== null ? { effort } : budget !== null ? { max_tokens: budget } : enabled === null ? {} : { enabled }),
    ...(shown === false ? { exclude: true } : {}),
  }
}

/** Of a budget: what all models know that can think. */
function within(effort: Effort): Effort {
  if (effort === 'none' || effort === 'minimal') return 'low'
  return effort === 'xhigh' || effort === 'max' ? 'high' : effort
}

function isDefault(param: keyof Params, value: unknown): boolean {
  switch (param) {
    case 'choices':
      return value === 1
    case 'logprobs':
      return value === false
    case 'topLogprobs':
    case 'frequencyPenalty':
    case 'presencePenalty':
      return value === 0
    case 'serviceTier':
      return value === 'auto'
    case 'verbosity':
      return value === 'medium'
    case 'logitBias':
    case 'metadata':
      return Object.keys(value as object).length === 0
    case 'modalities':
      return (value as readonly string[]).every((modality) => modality === 'text')
    default:
      return false
  }
}
