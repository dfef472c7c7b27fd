/** A conversation as the body of Converse and ConverseStream (Bedrock's API reference, "Converse"). */
import { Dropped } from '../../canonical/dropped.ts'
import { isForced, type ChatRequest, type FunctionTool, type Params } from '../../canonical/request.ts'
import { canThinkOn, withoutThoughts, type BlockKinds } from '../../canonical/turn.ts'
import type { Encoded } from '../../canonical/wire.ts'
import { writeMessages } from './messages-write.ts'
import { modelOf, type Model } from './models.ts'
import { changedNames } from './names.ts'
import { writeSampling } from './sampling-write.ts'
import { writeThinking } from './thinking-write.ts'
import { writeTools } from './tools-write.ts'

/** What readers of the answer know of its request. */
export interface Memo {
  /** Tools by the names that Converse could take, where they had to be changed; null: none had to be. */
  readonly names: ReadonlyMap<string, string> | null
  /** The tools that take any text, and are functions to Converse. */
  readonly customs: readonly string[]
  /** The only sequence that can have stopped the answer; null: there is none, or several. */
  readonly stop: string | null
}

const ANY_JSON = 'Answer with one JSON object, and with nothing before or after it.'
const BLOCK_KINDS: BlockKinds = {
  isThought: (block) => 'reasoningContent' in block,
  isResult: (block) => 'toolResult' in block,
}
/** Where Claude tells which sequence has stopped it, streamed or not. */
const STOP_SEQUENCE = ['/stop_sequence', '/delta/stop_sequence']

/** @throws GatewayError unsupported_endpoint for what cannot be said, param_not_allowed for what makes no sense */
export function encodeRequest(request: ChatRequest, name: string): Encoded {
  const { body, dropped, answerTool } = writeRequest(request, name)
  const { stop } = request.params
  const memo: Memo = {
    names: changedNames([...request.tools.map((tool) => tool.name), ...(answerTool === null ? [] : [answerTool])]),
    customs: request.tools.filter(({ type }) => type === 'custom').map((tool) => tool.name),
    stop: stop?.length === 1 ? stop[0]! : null,
  }
  return { body: JSON.stringify(body), dropped: dropped.names, answerTool, memo }
}

export interface WrittenRequest {
  readonly body: Record<string, unknown>
  readonly dropped: Dropped
  readonly answerTool: string | null
}

export function writeRequest(request: ChatRequest, name: string): WrittenRequest {
  const model = modelOf(name)
  const dropped = new Dropped(request)
  const { system, messages } = writeMessages(request, model)
  const answerTool = answerToolOf(request, model)
  const byBudget = model.claude?.thinking === 'budget'
  const thinksOn = !byBudget || canThinkOn(messages, BLOCK_KINDS)
  const wantsThought = request.reasoning !== null && writeThinking(request, model, thinksOn).on
  const tools = writeTools(request, model, answerTool, !(wantsThought && model.claude !== null), dropped)
  // Up to 4.7 Claude refuses, on Bedrock, to be made to call a tool while it thinks; of later ones Bedrock does not say.
  const thinking = writeThinking(request, model, thinksOn && !tools.forced)
  if (thinking.dropped) dropped.add('reasoning')
  const sampling = writeSampling(request, model, thinking.on ? thinking.fields : {}, dropped)
  dropTheRest(request, dropped)

  const body: Record<string, unknown> = {
    messages: thinking.dropped && byBudget ? withoutThoughts(messages, BLOCK_KINDS) : messages,
  }
  if (tools.instruction !== null) system.push({ text: tools.instruction })
  const outputConfig = outputConfigOf(request, model, answerTool !== null, thinking.effort)
  if (
    request.format !== null &&
    request.format.type !== 'text' &&
    answerTool === null &&
    !('textFormat' in outputConfig)
  ) {
    system.push({ text: request.format.type === 'json' ? ANY_JSON : inWords(request.format.schema) })
    if (request.format.type === 'schema') dropped.add('format')
  }
  if (system.length > 0) body['system'] = system
  if (tools.toolConfig !== null) body['toolConfig'] = tools.toolConfig
  if (isFilled(sampling.inferenceConfig)) body['inferenceConfig'] = sampling.inferenceConfig
  const fields = { ...sampling.fields, ...thinking.fields }
  if (isFilled(fields)) body['additionalModelRequestFields'] = fields
  if (isFilled(outputConfig)) body['outputConfig'] = outputConfig
  if (model.claude !== null && request.params.stop !== null) body['additionalModelResponseFieldPaths'] = STOP_SEQUENCE
  const tier = tierOf(request.params, dropped)
  if (tier !== null) body['serviceTier'] = { type: tier }
  const metadata = metadataOf(request.params, dropped)
  if (metadata !== null) body['requestMetadata'] = metadata
  return { body, dropped, answerTool: answerTool?.name ?? null }
}

/** A tool whose arguments are the answer, for models that hold to no schema of themselves. */
function answerToolOf({ format, tools, toolChoice }: ChatRequest, model: Model): FunctionTool | null {
  if (format?.type !== 'schema' || model.schemas || !model.callsTools) return null
  // There will be no text: a tool has to be called as it is.
  if (isForced(toolChoice)) return null
  const taken = new Set(tools.map((tool) => tool.name))
  const wanted = format.name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, LONGEST_NAME) || 'answer'
  let name = wanted
  for (let i = 2; taken.has(name); i++) name = `${wanted}_${i}`
  const description = format.description ?? 'Call this with the answer.'
  return { type: 'function', name, description, parameters: format.schema, strict: null }
}

const LONGEST_NAME = 56

function inWords(schema: object): string {
  return `${ANY_JSON} It has to match this JSON Schema: ${JSON.stringify(schema)}`
}

function outputConfigOf(
  { format }: ChatRequest,
  { schemas }: Model,
  byTool: boolean,
  effort: string | null,
): Record<string, unknown> {
  const config: Record<string, unknown> = effort === null ? {} : { effort }
  if (format?.type === 'schema' && schemas && !byTool) {
    const description = format.description === null ? {} : { description: format.description }
    const name = format.name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64)
    const jsonSchema = { schema: JSON.stringify(format.schema), name, ...description }
    config['textFormat'] = { type: 'json_schema', structure: { jsonSchema } }
  }
  return config
}

const TIERS: ReadonlySet<string> = new Set(['default', 'flex', 'priority', 'reserved'])

function tierOf({ serviceTier }: Params, dropped: Dropped): string | null {
  if (serviceTier === null || serviceTier === 'auto') return null
  if (TIERS.has(serviceTier)) return serviceTier
  dropped.add('serviceTier')
  return null
}

const METADATA_NAME = /^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/
const METADATA_VALUE = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/
const MOST_METADATA = 16

function metadataOf({ metadata }: Params, dropped: Dropped): Record<string, unknown> | null {
  const members = Object.entries(metadata ?? {})
  if (members.length === 0) return null
  const fits =
    members.length <= MOST_METADATA &&
    members.every(
      ([name, value]) => METADATA_NAME.test(name) && typeof value === 'string' && METADATA_VALUE.test(value),
    )
  if (fits) return { ...metadata }
  dropped.add('metadata')
  return null
}

/** What Converse has no word for, unless it is what happens anyway. */
function dropTheRest({ params }: ChatRequest, dropped: Dropped): void {
  if ((params.choices ?? 1) !== 1) dropped.add('choices')
  if (params.logitBias !== null && isFilled(params.logitBias)) dropped.add('logitBias')
  if (params.logprobs === true) dropped.add('logprobs')
  if (params.logprobs === true && (params.topLogprobs ?? 0) > 0) dropped.add('topLogprobs')
  if (params.user !== null) dropped.add('user')
  if (params.verbosity !== null && params.verbosity !== 'medium') dropped.add('verbosity')
  if (params.modalities?.some((one) => one !== 'text')) dropped.add('modalities')
  if (params.audio !== null) dropped.add('audio')
  if (params.promptCacheKey !== null) dropped.add('promptCacheKey')
}

function isFilled(object: object): boolean {
  for (const _ in object) return true
  return false
}
