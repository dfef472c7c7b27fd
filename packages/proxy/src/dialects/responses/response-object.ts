/** A Response object, as answers and some events have it: what is known of it, and the request's settings repeated. */
import type { TokenUsage } from '@millrace/shared'

import type { ChatRequest, Tool } from '../../canonical/request.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import type { Saying } from '../../canonical/writer.ts'
import type { Ending } from './finish.ts'
import { toolOf } from './tools.ts'
import { responseUsage } from './usage.ts'
import { stringOf } from './values.ts'

/** What differs between the states of one response. */
export interface ResponseState {
  readonly ending: Ending | null
  /** JSON of each item. */
  readonly items: readonly string[]
  readonly usage: TokenUsage | null
}

export class ResponseObject {
  private readonly head: string
  private readonly settings: string

  /** @param id the provider's; another than the Responses API's is none to its clients */
  constructor(saying: Saying, id: string, created: number | null, serviceTier: string | null) {
    const own = id.startsWith('resp_') ? id : `resp_${compact(saying.id)}`
    this.head = `{"id":${JSON.stringify(own)},"object":"response","created_at":${created ?? saying.created}`
    const settings = settingsOf(saying.request as ChatRequest, saying.model, serviceTier)
    this.settings = JSON.stringify(settings).slice(1, -1)
  }

  /** Its JSON. */
  in({ ending, items, usage }: ResponseState): string {
    const status = ending?.status ?? 'in_progress'
    const completed = status === 'completed' ? Math.floor(Date.now() / 1_000) : null
    const error = status === 'failed' ? FAILED : 'null'
    const incomplete = ending?.reason ? `{"reason":"${ending.reason}"}` : 'null'
    const used = usage === null ? '' : `,"usage":${JSON.stringify(responseUsage(usage))}`
    return (
      `${this.head},"status":"${status}","background":false,"completed_at":${completed},"error":${error},` +
      `"incomplete_details":${incomplete},${this.settings},"output":[${items.join(',')}]${used}}`
    )
  }
}

const FAILED = '{"code":"server_error","message":"The provider could not finish the answer."}'

/** A UUID without its hyphens. */
export function compact(id: string): string {
  return id.replaceAll('-', '')
}

export const TIERS: readonly string[] = ['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast']
const SUMMARIES: readonly unknown[] = ['auto', 'concise', 'detailed']

/** OpenAI's defaults where the request says nothing. */
function settingsOf(request: ChatRequest, model: string, serviceTier: string | null): JsonObject {
  const { echo = {}, params, reasoning } = request
  const asked = isObject(echo['reasoning']) ? echo['reasoning'] : {}
  const summary = SUMMARIES.find((one) => one === (asked['summary'] ?? asked['generate_summary'])) ?? null
  const tier = [serviceTier, params.serviceTier].find((one) => one !== null && TIERS.includes(one))
  const identifier = stringOf(echo['safety_identifier'])
  const user = stringOf(echo['user'])
  return {
    instructions: stringOf(echo['instructions']),
    max_output_tokens: params.maxTokens,
    max_tool_calls: Number.isInteger(echo['max_tool_calls']) ? echo['max_tool_calls'] : null,
    model,
    parallel_tool_calls: request.parallelToolCalls ?? true,
    previous_response_id: null,
    prompt_cache_key: params.promptCacheKey,
    reasoning: { effort: reasoning?.effort ?? null, summary },
    safety_identifier: identifier,
    service_tier: tier ?? 'default',
    store: false,
    temperature: params.temperature ?? 1,
    text: isObject(echo['text']) ? { format: { type: 'text' }, ...echo['text'] } : { format: { type: 'text' } },
    tool_choice: echo['tool_choice'] ?? 'auto',
    tools: request.tools.map(toolEcho),
    top_logprobs: params.topLogprobs ?? 0,
    top_p: params.topP ?? 1,
    truncation: echo['truncation'] === 'auto' ? 'auto' : 'disabled',
    ...(user !== null && { user }),
    metadata: Object.fromEntries(
      Object.entries(params.metadata ?? {}).filter(([, value]) => typeof value === 'string'),
    ),
  }
}

function toolEcho(tool: Tool): unknown {
  const said = toolOf(tool)
  return tool.type === 'function'
    ? { ...(said as JsonObject), description: tool.description, strict: tool.strict }
    : said
}
