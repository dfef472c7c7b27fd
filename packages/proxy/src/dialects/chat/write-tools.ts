import type { ChatRequest, CustomTool, FunctionTool, ResponseFormat, ToolChoice } from '../../canonical/request.ts'
import { TEXT_SCHEMA } from '../../canonical/tool-text.ts'
import { toolNameFor } from './tool-names.ts'
import type { ChatWireOptions } from './wire-options.ts'
import type { ParamWriting } from './write-params.ts'

const NO_PARAMETERS = { type: 'object', properties: {} }

export function writeTools(request: ChatRequest, options: ChatWireOptions, out: ParamWriting): void {
  const { toolChoice, parallelToolCalls } = request
  const sayable = request.tools.filter((tool) => tool.type !== 'own')
  if (sayable.length < request.tools.length) out.drop('tools', 'tools')
  const allowed = toolChoice?.type === 'allowed' && !options.openAi ? new Set(toolChoice.names) : null
  const tools = sayable.filter(({ name }) => allowed === null || allowed.has(name))
  if (tools.length === 0) {
    if (toolChoice !== null && toolChoice.type !== 'none' && toolChoice.type !== 'auto')
      out.drop('toolChoice', 'tool_choice')
    return
  }
  out.set(
    'tools',
    'tools',
    tools.map((tool) => toolOf(tool, options)),
  )
  if (toolChoice !== null) out.set('toolChoice', 'tool_choice', choiceOf(toolChoice, tools, options))
  if (parallelToolCalls === false) out.set('parallelToolCalls', 'parallel_tool_calls', false)
}

type Tool = FunctionTool | CustomTool

function toolOf(tool: Tool, options: ChatWireOptions): object {
  if (tool.type === 'function') {
    const marked = options.cacheControl && tool.cache !== undefined
    return { type: 'function', function: functionOf(tool), ...(marked ? { cache_control: { type: 'ephemeral' } } : {}) }
  }
  const { name, description, format } = tool
  if (!options.openAi) return { type: 'function', function: functionOfText(tool) }
  const more = { ...(description === null ? {} : { description }), ...(format === null ? {} : { format }) }
  return { type: 'custom', custom: { name: toolNameFor(name), ...more } }
}

function functionOf({ name, description, parameters, strict }: FunctionTool): object {
  return {
    name: toolNameFor(name),
    ...(description === null ? {} : { description }),
    // Some servers refuse functions without.
    parameters: parameters ?? NO_PARAMETERS,
    ...(strict === null ? {} : { strict }),
  }
}

/** A tool that takes any text, for who knows functions only: tool-text.ts has the text back. */
function functionOfText({ name, description, format }: CustomTool): object {
  const form = format === null || format === undefined ? '' : `Its input has this format: ${JSON.stringify(format)}`
  const told = [description ?? '', form].filter((text) => text !== '').join('\n')
  return { name: toolNameFor(name), ...(told === '' ? {} : { description: told }), parameters: TEXT_SCHEMA }
}

function choiceOf(choice: ToolChoice, tools: readonly Tool[], { openAi }: ChatWireOptions): unknown {
  switch (choice.type) {
    case 'tool':
      return named(choice.name, tools, openAi)
    case 'allowed':
      if (!openAi) return choice.required ? 'required' : 'auto'
      return {
        type: 'allowed_tools',
        allowed_tools: {
          mode: choice.required ? 'required' : 'auto',
          tools: choice.names.map((name) => named(name, tools, openAi)),
        },
      }
    default:
      return choice.type
  }
}

function named(name: string, tools: readonly Tool[], openAi: boolean): object {
  const custom = openAi && tools.some((tool) => tool.type === 'custom' && tool.name === name)
  const called = { name: toolNameFor(name) }
  return custom ? { type: 'custom', custom: called } : { type: 'function', function: called }
}

/** @returns what the model is told where the provider takes no JSON Schemas; null: nothing has to be */
export function writeFormat(format: ResponseFormat | null, options: ChatWireOptions, out: ParamWriting): string | null {
  if (format === null || format.type === 'text') return null
  const { name, description, schema, strict } = format.type === 'schema' ? format : NO_SCHEMA
  if (schema === null) {
    out.set('format', 'response_format', { type: 'json_object' })
    return null
  }
  if (options.schema === 'json_object') {
    out.set('format', 'response_format', { type: 'json_object' })
    return `Answer with one JSON object that this JSON Schema describes, and with nothing else:\n${JSON.stringify(schema)}`
  }
  const more = { ...(description === null ? {} : { description }), ...(strict === null ? {} : { strict }) }
  out.set('format', 'response_format', { type: 'json_schema', json_schema: { name, schema, ...more } })
  return null
}

const NO_SCHEMA = { name: '', description: null, schema: null, strict: null }
