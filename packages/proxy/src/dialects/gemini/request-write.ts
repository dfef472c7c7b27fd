/** A conversation as the body of `generateContent` (Gemini's API reference, "Generating content"). */
import { Dropped } from '../../canonical/dropped.ts'
import type { ChatRequest, FunctionTool, ResponseFormat, Tool } from '../../canonical/request.ts'
import type { Encoded } from '../../canonical/wire.ts'
import { conversationOf } from './contents.ts'
import { generationConfigOf, serviceTierOf } from './generation.ts'
import { isNewer, takesSystem } from './model.ts'
import { renamed } from './names.ts'
import { toolsOf, type WrittenTools } from './tools-write.ts'

/** What readers of the answer know of its request. */
export interface Memo {
  /** The tools that take any text, and are functions to Gemini. */
  readonly customs: readonly string[]
  /** The client's names of functions that Gemini knows by another. */
  readonly names: ReadonlyMap<string, string>
}

export interface WrittenRequest {
  readonly body: Record<string, unknown>
  readonly dropped: Dropped
  readonly answerTool: string | null
}

/** @param model the provider's name of it */
export function writeRequest(request: ChatRequest, model: string): WrittenRequest {
  const newer = isNewer(model)
  const dropped = new Dropped(request)
  const { contents, system } = conversationOf(request, newer, takesSystem(model))
  const body: Record<string, unknown> = {}
  if (system.length > 0) body['systemInstruction'] = { parts: system }
  body['contents'] = contents

  // Models before Gemini 3 give no JSON of their own while there are functions that they may call.
  const { format, tools, toolChoice } = request
  const mayCall = tools.some(({ type }) => type !== 'own') && toolChoice?.type !== 'none'
  const isJson = format !== null && format.type !== 'text'
  const either = isJson && !newer && tools.length > 0
  const answerTool = either && mayCall && format.type === 'schema' ? answerToolOf(format, tools) : null
  const written = either && !mayCall ? withoutTools(request, dropped) : toolsOf(request, answerTool, newer, dropped)
  if (written.tools.length > 0) body['tools'] = written.tools
  if (written.toolConfig !== null) body['toolConfig'] = written.toolConfig
  if (either && mayCall && answerTool === null) dropped.add('format')

  const config = generationConfigOf(request, model, isJson && !(either && mayCall), dropped)
  if (config !== null) body['generationConfig'] = config
  const tier = serviceTierOf(request.params, dropped)
  if (tier !== null) body['serviceTier'] = tier
  return { body, dropped, answerTool: answerTool?.name ?? null }
}

/** Those that Gemini would run itself: what the client doesn't want to be called is not missed. */
function withoutTools({ toolChoice }: ChatRequest, dropped: Dropped): WrittenTools {
  if (toolChoice?.type !== 'none') dropped.add('tools')
  return { tools: [], toolConfig: null }
}

export function encodeRequest(request: ChatRequest, model: string): Encoded {
  const { body, dropped, answerTool } = writeRequest(request, model)
  const customs = request.tools.filter(({ type }) => type === 'custom').map(({ name }) => name)
  const memo: Memo = { customs, names: renamed(request.tools.map(({ name }) => name)) }
  return { body: JSON.stringify(body), dropped: dropped.names, answerTool, memo }
}

/** A function whose arguments are the answer. */
function answerToolOf(format: Extract<ResponseFormat, { type: 'schema' }>, tools: readonly Tool[]): FunctionTool {
  const taken = new Set(tools.map(({ name }) => name))
  const wanted = format.name
    .replace(/[^\w.-]/g, '_')
    .replace(/^(?![a-zA-Z_])/, '_')
    .slice(0, LONGEST_NAME)
  let name = wanted
  for (let i = 2; taken.has(name); i++) name = `${wanted}_${i}`
  const description = format.description ?? 'Call this with the answer.'
  return { type: 'function', name, description, parameters: format.schema, strict: null }
}

const LONGEST_NAME = 56
