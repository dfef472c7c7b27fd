import { wrong } from '../../canonical/problem.ts'
import type { CustomTool, Tool } from '../../canonical/request.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import { stringOf } from './values.ts'

export function readTools(value: unknown): readonly Tool[] {
  if (value == null) return []
  if (!Array.isArray(value)) throw wrong('tools', '"tools" has to be a list.')
  return value.map((tool: unknown, i) => readTool(tool, `tools[${i}]`))
}

function readTool(tool: unknown, at: string): Tool {
  if (!isObject(tool) || typeof tool['type'] !== 'string') throw wrong(at, 'A tool has to be an object with a type.')
  const { type, name } = tool
  if (type !== 'function' && type !== 'custom') {
    return { type: 'own', name: stringOf(name) ?? type, own: { origin: 'responses', value: tool } }
  }
  if (typeof name !== 'string' || name === '') throw wrong(`${at}.name`, 'A tool has to have a name.')
  const description = stringOf(tool['description'])
  if (type === 'custom') return { type, name, description, format: customFormat(tool['format']) }
  const { parameters = null, strict } = tool
  if (parameters !== null && !isObject(parameters)) {
    throw wrong(`${at}.parameters`, 'The parameters of a tool have to be a JSON Schema: an object.')
  }
  return { type, name, description, parameters, strict: typeof strict === 'boolean' ? strict : null }
}

/** The canonical form is that of chat completions, where a grammar is an object of its own. */
function customFormat(format: unknown): CustomTool['format'] {
  if (!isObject(format) || format['type'] !== 'grammar') return format ?? null
  const { syntax, definition } = format
  return { type: 'grammar', grammar: { syntax, definition } }
}

/** Tools that providers run themselves, by how other APIs begin to name them. */
const RUN_BY_OPENAI: readonly (readonly [RegExp, JsonObject])[] = [
  [/^(?:web_search|googleSearch)/, { type: 'web_search' }],
  [/^code_?execution/i, { type: 'code_interpreter', container: { type: 'auto' } }],
]

/** @returns the tool as this API has it; null: it has none such */
export function sayableTool(tool: Tool): Tool | null {
  if (tool.type !== 'own' || tool.own.origin === 'responses') return tool
  const { value } = tool.own
  const names = isObject(value) ? [stringOf(value['type']), ...Object.keys(value)] : []
  const found = RUN_BY_OPENAI.find(([pattern]) => names.some((name) => name !== null && pattern.test(name)))
  return found ? { ...tool, own: { origin: 'responses', value: found[1] } } : null
}

/** A tool in this API's words. @param tool as {@link sayableTool} gives it */
export function toolOf(tool: Tool): unknown {
  if (tool.type === 'own') return tool.own.value
  const { type, name, description } = tool
  const head = { type, name, ...(description !== null && { description }) }
  if (tool.type === 'function') {
    // Absent, this API takes `strict` for true.
    return { ...head, parameters: tool.parameters, strict: tool.strict ?? false }
  }
  const { format } = tool
  return format == null ? head : { ...head, format: flatFormat(format) }
}

function flatFormat(format: unknown): unknown {
  if (!isObject(format) || !isObject(format['grammar'])) return format
  const { syntax, definition } = format['grammar']
  return { type: 'grammar', syntax, definition }
}
