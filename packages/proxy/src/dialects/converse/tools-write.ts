/** Tools, and which of them has to be called, as Converse's `toolConfig`. */
import type { Dropped } from '../../canonical/dropped.ts'
import {
  isForced,
  type ChatRequest,
  type CustomTool,
  type FunctionTool,
  type Tool,
  type ToolChoice,
} from '../../canonical/request.ts'
import { TEXT_SCHEMA } from '../../canonical/tool-text.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { Model } from './models.ts'
import { writeToolName } from './names.ts'
import { cachePoint } from './parts-write.ts'

export interface WrittenTools {
  /** Null: there is none. */
  readonly toolConfig: JsonObject | null
  /** What the model has to be told, since `toolConfig` can't. */
  readonly instruction: string | null
  /** Whether a tool must be called, which Claude can't be told while it thinks. */
  readonly forced: boolean
}

const CALL_NONE = 'Answer in words. Do not call any tool.'
const CALL_ONE = 'Answer by calling a tool, and not in words.'

/**
 * @param answerTool one more, whose arguments are the answer; null: there is none
 * @param mayForce whether the model may be made to call a tool
 */
export function writeTools(
  request: ChatRequest,
  model: Model,
  answerTool: FunctionTool | null,
  mayForce: boolean,
  dropped: Dropped,
): WrittenTools {
  const callable = request.tools.filter((tool) => tool.type !== 'own')
  // Bedrock runs none itself.
  if (callable.length < request.tools.length) dropped.add('tools')
  const choice = choiceOf(request.toolChoice, request.tools, dropped)
  const calls = calledNames(request)
  const silenced = choice?.type === 'none' || callable.length === 0
  if (silenced && answerTool === null) {
    if (calls.size === 0) return { toolConfig: null, instruction: null, forced: false }
    // Converse has no `none`, and wants to know tools that have been called.
    const toolConfig = { tools: callable.length > 0 ? toolsOf(callable, model) : [...calls].map(standIn) }
    return { toolConfig, instruction: CALL_NONE, forced: false }
  }
  const all = choice?.type === 'none' && calls.size === 0 ? [] : allowedOf(callable, choice, model)
  if (request.parallelToolCalls === false && all.length > 0) dropped.add('parallelToolCalls')
  const tools = toolsOf(answerTool === null ? all : [...all, answerTool], model)
  if (answerTool !== null)
    return answering(tools, answerTool, all.length > 0 && choice?.type !== 'none', model, mayForce)
  if (!isForced(choice)) return { toolConfig: { tools }, instruction: null, forced: false }
  if (model.forcing === 'none') {
    dropped.add('toolChoice')
    const instruction = choice.type === 'tool' ? callIt(choice.name) : CALL_ONE
    return { toolConfig: { tools }, instruction, forced: false }
  }
  const byName = choice.type === 'tool' && model.forcing === 'tool'
  const toolChoice = byName ? { tool: { name: writeToolName(choice.name) } } : { any: {} }
  return { toolConfig: { tools, toolChoice }, instruction: null, forced: true }
}

/** What may be called: where one has to be, but can't be told by its name, it is the only one. */
function allowedOf(
  tools: readonly (FunctionTool | CustomTool)[],
  choice: ToolChoice | null,
  { forcing }: Model,
): readonly (FunctionTool | CustomTool)[] {
  if (choice?.type === 'allowed') return tools.filter(({ name }) => choice.names.includes(name))
  return choice?.type === 'tool' && forcing === 'any' ? tools.filter(({ name }) => name === choice.name) : tools
}

function callIt(name: string): string {
  return `Give your answer by calling the tool ${writeToolName(name)}, and not in words.`
}

/** Null also where the tool that has to be called is not there. */
function choiceOf(choice: ToolChoice | null, tools: readonly Tool[], dropped: Dropped): ToolChoice | null {
  if (choice?.type !== 'tool' || !tools.some(({ type, name }) => type === 'own' && name === choice.name)) return choice
  dropped.add('toolChoice')
  return null
}

/** The tools that were called before, by their names. */
function calledNames({ messages }: ChatRequest): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { content } of messages) for (const part of content) if (part.type === 'tool_call') names.add(part.name)
  return names
}

function toolsOf(tools: readonly (FunctionTool | CustomTool)[], model: Model): JsonObject[] {
  return tools.flatMap((tool) => {
    const spec = { toolSpec: specOf(tool, model) }
    const mark = tool.type === 'function' && tool.cache && model.cachesTools ? cachePoint(tool.cache.ttl, model) : null
    return mark === null ? [spec] : [spec, mark]
  })
}

function specOf(tool: FunctionTool | CustomTool, { schemas }: Model): JsonObject {
  const description = tool.description?.trim() ? { description: tool.description } : {}
  const json = tool.type === 'custom' ? TEXT_SCHEMA : schemaOf(tool.parameters)
  const strict = tool.type === 'function' && tool.strict === true && schemas ? { strict: true } : {}
  return { name: writeToolName(tool.name), ...description, inputSchema: { json }, ...strict }
}

function schemaOf(parameters: JsonObject | null): JsonObject {
  if (parameters === null) return { type: 'object', properties: {} }
  return parameters['type'] === undefined ? { type: 'object', properties: {}, ...parameters } : parameters
}

function standIn(name: string): JsonObject {
  return { toolSpec: { name: writeToolName(name), inputSchema: { json: { type: 'object', properties: {} } } } }
}

/** @param others whether there are tools that may be called before */
function answering(
  tools: readonly JsonObject[],
  { name }: FunctionTool,
  others: boolean,
  { forcing }: Model,
  mayForce: boolean,
): WrittenTools {
  const way = !mayForce ? 'none' : others && forcing === 'tool' ? 'any' : forcing
  if (way === 'none') {
    return { toolConfig: { tools }, instruction: callIt(name), forced: false }
  }
  const toolChoice = way === 'tool' ? { tool: { name: writeToolName(name) } } : { any: {} }
  return { toolConfig: { tools, toolChoice }, instruction: null, forced: true }
}
