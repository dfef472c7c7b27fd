/** Tools, and which of them the model may or must call. */
import { wrong } from '../../canonical/problem.ts'
import type { Tool, ToolChoice } from '../../canonical/request.ts'
import { filledText, isObject } from '../../canonical/values.ts'
import { isRaw } from './exact-number.ts'
import { cacheOf } from './read-text.ts'

export function readTools(tools: unknown): Tool[] {
  if (tools === undefined || tools === null) return []
  if (!Array.isArray(tools)) throw wrong('tools', '"tools" has to be a list.')
  return tools.map(readTool)
}

function readTool(tool: unknown, i: number): Tool {
  const at = `tools[${i}]`
  if (!isObject(tool)) throw wrong(at, `"${at}" has to be an object.`)
  const { type, name, description, input_schema: schema, strict } = tool
  if (type !== undefined && type !== null && type !== 'custom') {
    if (typeof type !== 'string') throw wrong(`${at}.type`, `"${at}.type" has to be a text.`)
    return { type: 'own', name: filledText(name) ?? type, own: { origin: 'messages', value: tool } }
  }
  if (filledText(name) === null) throw wrong(`${at}.name`, `"${at}.name" has to be a text.`)
  const place = `${at}.input_schema`
  if (!isObject(schema) || isRaw(schema)) throw wrong(place, `"${place}" has to be an object: a JSON Schema.`)
  if (schema['type'] !== undefined && schema['type'] !== 'object') {
    throw wrong(`${place}.type`, `"${place}.type" has to be object.`)
  }
  return {
    type: 'function',
    name: name as string,
    description: filledText(description),
    parameters: schema,
    strict: typeof strict === 'boolean' ? strict : null,
    ...cacheOf(tool),
  }
}

export interface Choice {
  readonly toolChoice: ToolChoice | null
  readonly parallelToolCalls: boolean | null
}

export function readToolChoice(choice: unknown, tools: readonly Tool[]): Choice {
  if (choice === undefined || choice === null) return { toolChoice: null, parallelToolCalls: null }
  if (!isObject(choice)) throw wrong('tool_choice', '"tool_choice" has to be an object.')
  const single = choice['disable_parallel_tool_use']
  return {
    toolChoice: choiceOf(choice['type'], choice['name'], tools),
    parallelToolCalls: typeof single === 'boolean' ? !single : null,
  }
}

function choiceOf(type: unknown, name: unknown, tools: readonly Tool[]): ToolChoice {
  switch (type) {
    case 'auto':
    case 'none':
      return { type }
    case 'any':
      return { type: 'required' }
    case 'tool':
      if (!tools.some((tool) => tool.name === name))
        throw wrong('tool_choice.name', '"tool_choice.name" names no tool.')
      return { type: 'tool', name: name as string }
    default:
      throw wrong('tool_choice.type', '"tool_choice.type" has to be auto, any, tool or none.')
  }
}
