/** Reads a body of Anthropic's Messages API (its API reference, "Create a Message"). */
import type { Part, TextPart } from '../../canonical/content.ts'
import { unsayable, wrong } from '../../canonical/problem.ts'
import type { ChatRequest, Message, ParamNames } from '../../canonical/request.ts'
import { isObject, type JsonObject } from '../../canonical/values.ts'
import { readBlocks } from './read-blocks.ts'
import { readFormat, readParams, readReasoning } from './read-options.ts'
import { readTexts } from './read-text.ts'
import { readToolChoice, readTools } from './read-tools.ts'

const NAMED: ParamNames = {
  maxTokens: 'max_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop_sequences',
  user: 'metadata.user_id',
  serviceTier: 'service_tier',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelToolCalls: 'tool_choice.disable_parallel_tool_use',
  messages: 'messages',
}

const READ = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'metadata',
  'service_tier',
  'stream',
  // A hint, as all marks of what is kept.
  'cache_control',
])

/** What would change what the answer is, or who makes it where, if it were left out. */
const NEVER_LEFT_OUT: Readonly<Record<string, string>> = {
  container: 'Only Anthropic keeps containers.',
  mcp_servers: 'Only Anthropic calls MCP servers itself.',
  inference_geo: 'Only Anthropic can be told where to compute.',
}

/**
 * @param body as exact-json.ts parses it
 * @throws GatewayError param_not_allowed, unsupported_endpoint
 */
export function readMessagesRequest(body: JsonObject): ChatRequest {
  for (const [name, message] of Object.entries(NEVER_LEFT_OUT)) {
    if (body[name] !== undefined && body[name] !== null) throw unsayable(name, message)
  }
  const { system, messages } = readConversation(body)
  const tools = readTools(body['tools'])
  return {
    kind: 'chat',
    system,
    messages,
    tools,
    ...readToolChoice(body['tool_choice'], tools),
    format: readFormat(body),
    reasoning: readReasoning(body),
    params: readParams(body),
    stream: body['stream'] === true,
    named: namesIn(body),
    unknown: Object.keys(body).filter((name) => !READ.has(name) && tells(name, body[name])),
  }
}

function namesIn(body: JsonObject): ParamNames {
  return {
    ...NAMED,
    reasoning: isObject(body['thinking']) ? 'thinking' : 'output_config.effort',
    format: body['output_format'] === undefined ? 'output_config.format' : 'output_format',
  }
}

/** Whether it asks for anything. */
function tells(name: string, value: unknown): boolean {
  return value !== null && value !== undefined && !(name === 'speed' && value === 'standard')
}

function readConversation(body: JsonObject): { system: TextPart[]; messages: Message[] } {
  const { messages } = body
  if (!Array.isArray(messages)) throw wrong('messages', '"messages" has to be a list.')
  const system = readTexts(body['system'], 'system')
  const read: { role: 'system' | 'user' | 'assistant'; content: Part[] }[] = []
  const calls = new Map<string, string>()
  for (const [i, message] of messages.entries()) {
    const at = `messages[${i}]`
    if (!isObject(message)) throw wrong(at, `"${at}" has to be an object.`)
    const { role, content } = message
    if (role !== 'user' && role !== 'assistant' && role !== 'system') {
      throw wrong(`${at}.role`, `"${at}.role" has to be user or assistant.`)
    }
    if (role === 'system' && read.length === 0) {
      system.push(...readTexts(content, `${at}.content`))
      continue
    }
    const parts =
      role === 'system' ? readTexts(content, `${at}.content`) : readBlocks(content, role, `${at}.content`, calls)
    const last = read.at(-1)
    if (last?.role === role) last.content.push(...parts)
    else read.push({ role, content: parts })
  }
  return { system, messages: read }
}
