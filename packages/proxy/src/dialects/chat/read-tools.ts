/** The tools in a chat completion's request, and which of them the model has to call. */
import { wrong } from '../../canonical/problem.ts'
import type { ResponseFormat, Tool, ToolChoice } from '../../canonical/request.ts'
import { filledText, isObject, objectOf, type JsonObject } from '../../canonical/values.ts'
import { cacheOf } from './read-parts.ts'

export function readTools(body: JsonObject): Tool[] {
  const tools = itemsOf(body, 'tools').map((tool, i) => readTool(tool, `tools[${i}]`))
  const functions = itemsOf(body, 'functions').map((tool, i) => readFunction(tool, `functions[${i}]`))
  return [...tools, ...functions]
}

function itemsOf(body: JsonObject, name: string): readonly unknown[] {
  const list = body[name] ?? []
  if (!Array.isArray(list)) throw wrong(name, `"${name}" has to be a list.`)
  return list
}

function readTool(value: unknown, at: string): Tool {
  const tool = objectOf(value)
  if (tool['type'] === 'custom' || (tool['type'] === undefined && isObject(tool['custom']))) {
    const { name, description, format } = objectOf(tool['custom'])
    return {
      type: 'custom',
      name: nameOf(name, `${at}.custom`),
      description: filledText(description),
      format: format ?? null,
    }
  }
  if (tool['type'] !== 'function' && tool['type'] !== undefined) {
    throw wrong(`${at}.type`, `"${at}.type" has to be function or custom.`)
  }
  return { ...readFunction(tool['function'], `${at}.function`), ...cacheOf(tool) }
}

function readFunction(value: unknown, at: string): Tool {
  if (!isObject(value)) throw wrong(at, `"${at}" has to be an object.`)
  const { name, description, parameters, strict } = value
  if (parameters !== undefined && parameters !== null && !isObject(parameters)) {
    throw wrong(`${at}.parameters`, `"${at}.parameters" has to be a JSON Schema: an object.`)
  }
  return {
    type: 'function',
    name: nameOf(name, at),
    description: filledText(description),
    parameters: parameters ?? null,
    strict: typeof strict === 'boolean' ? strict : null,
    ...cacheOf(value),
  }
}

function nameOf(name: unknown, at: string): string {
  if (typeof name !== 'string' || name === '') throw wrong(`${at}.name`, `"${at}.name" has to be a text.`)
  return name
}

const WORDS: Readonly<Record<string, ToolChoice>> = {
  auto: { type: 'auto' },
  none: { type: 'none' },
  required: { type: 'required' },
  // Mistral's.
  any: { type: 'required' },
}

/** @param names of the tools there are */
export function readToolChoice(body: JsonObject, names: ReadonlySet<string>): ToolChoice | null {
  const at = body['tool_choice'] === undefined || body['tool_choice'] === null ? 'function_call' : 'tool_choice'
  const choice = body[at]
  if (choice === undefined || choice === null) return null
  if (typeof choice === 'string') {
    if (!Object.hasOwn(WORDS, choice)) throw wrong(at, `"${at}" has to be auto, none, required or a tool.`)
    return WORDS[choice]!
  }
  if (!isObject(choice)) throw wrong(at, `"${at}" has to be auto, none, required or a tool.`)
  if (choice['type'] === 'allowed_tools') return readAllowed(objectOf(choice['allowed_tools'] ?? choice), at, names)
  const named = at === 'function_call' ? choice : objectOf(choice['custom'] ?? choice['function'])
  return { type: 'tool', name: known(named['name'], at, names) }
}

function readAllowed({ mode, tools }: JsonObject, at: string, names: ReadonlySet<string>): ToolChoice {
  if (!Array.isArray(tools) || tools.length === 0)
    throw wrong(`${at}.allowed_tools.tools`, `"${at}" has to list tools.`)
  const allowed = tools.map((tool: unknown) => {
    const { function: called, custom, name } = objectOf(tool)
    return known(objectOf(called ?? custom)['name'] ?? name, at, names)
  })
  return { type: 'allowed', names: allowed, required: mode === 'required' }
}

function known(name: unknown, at: string, names: ReadonlySet<string>): string {
  if (typeof name !== 'string' || !names.has(name)) throw wrong(at, `"${at}" names a tool that is not there.`)
  return name
}

export function readFormat(value: unknown): ResponseFormat | null {
  if (value === undefined || value === null) return null
  const { type, json_schema: described } = objectOf(value)
  if (type === 'text') return { type: 'text' }
  if (type === 'json_object') return { type: 'json' }
  const at = 'response_format'
  if (type !== 'json_schema') throw wrong(`${at}.type`, `"${at}.type" has to be text, json_object or json_schema.`)
  const { name, description, schema, strict } = objectOf(described)
  if (schema !== undefined && !isObject(schema)) {
    throw wrong(`${at}.json_schema.schema`, `"${at}.json_schema.schema" has to be a JSON Schema: an object.`)
  }
  return {
    type: 'schema',
    name: nameOf(name, `${at}.json_schema`),
    description: filledText(description),
    schema: schema ?? {},
    strict: typeof strict === 'boolean' ? strict : null,
  }
}
