/** Tools, and which of them may be called, in Gemini's words (its guide "Function calling"). */
import type { Dropped } from '../../canonical/dropped.ts'
import type { ChatRequest, CustomTool, FunctionTool, OwnTool, Tool, ToolChoice } from '../../canonical/request.ts'
import { TEXT_SCHEMA } from '../../canonical/tool-text.ts'
import { textOf, objectOf, type JsonObject } from '../../canonical/values.ts'
import { functionName } from './names.ts'

export interface WrittenTools {
  readonly tools: readonly JsonObject[]
  readonly toolConfig: JsonObject | null
}

/** Tools that providers run themselves, by how other APIs begin to name them. */
const RUN_BY_GEMINI: readonly (readonly [RegExp, string])[] = [
  [/^web_search/, 'googleSearch'],
  [/^web_fetch/, 'urlContext'],
  [/^code_(?:interpreter|execution)/, 'codeExecution'],
]

/**
 * @param answerTool one more, which has to be called where no other is; null: there is none
 * @param newer whether the model is of Gemini 3 or later: those before take no functions beside tools of its own
 */
export function toolsOf(
  { tools, toolChoice }: ChatRequest,
  answerTool: FunctionTool | null,
  newer: boolean,
  dropped: Dropped,
): WrittenTools {
  const functions = tools.filter((tool) => tool.type !== 'own')
  if (answerTool !== null) functions.push(answerTool)
  const own: JsonObject[] = []
  for (const tool of tools) {
    // Only functions can be declared and not called.
    if (tool.type !== 'own' || toolChoice?.type === 'none') continue
    const written = newer || functions.length === 0 ? ownTool(tool) : null
    if (written !== null) own.push(written)
    else dropped.add('tools')
  }
  const choice = amongFunctions(toolChoice, functions)
  if (choice === null && toolChoice !== null) dropped.add('toolChoice')
  if (functions.length === 0) return { tools: own, toolConfig: null }
  const declared = { functionDeclarations: functions.map(declarationOf) }
  const config = answerTool === null ? callingConfigOf(choice) : forcing(choice, answerTool, tools)
  const toolConfig: Record<string, unknown> = {}
  if (config !== null) toolConfig['functionCallingConfig'] = config
  if (own.length > 0) toolConfig['includeServerSideToolInvocations'] = true
  return { tools: [declared, ...own], toolConfig: Object.keys(toolConfig).length > 0 ? toolConfig : null }
}

function declarationOf(tool: FunctionTool | CustomTool): JsonObject {
  const name = functionName(tool.name)
  const description = tool.description ? { description: tool.description } : {}
  const schema = tool.type === 'custom' ? TEXT_SCHEMA : schemaOf(tool.parameters)
  return { name, ...description, ...(schema === null ? {} : { parametersJsonSchema: schema }) }
}

/** Without what only names the dialect of JSON Schema. @returns null: no arguments */
function schemaOf(parameters: JsonObject | null): JsonObject | null {
  if (parameters === null || Object.keys(parameters).length === 0) return null
  const { $schema: _, ...schema } = parameters
  return 'type' in schema ? schema : { type: 'object', ...schema }
}

function ownTool({ own: { origin, value } }: OwnTool): JsonObject | null {
  if (origin === 'gemini') return objectOf(value)
  const type = textOf(objectOf(value)['type'])
  const name = RUN_BY_GEMINI.find(([pattern]) => pattern.test(type))?.[1]
  return name === undefined ? null : { [name]: {} }
}

/** @returns null: it is of tools that Gemini runs when it likes to */
function amongFunctions(choice: ToolChoice | null, functions: readonly Tool[]): ToolChoice | null {
  const isFunction = (wanted: string): boolean => functions.some(({ name }) => name === wanted)
  switch (choice?.type) {
    case 'required':
      return functions.length > 0 ? choice : null
    case 'tool':
      return isFunction(choice.name) ? choice : null
    case 'allowed': {
      const names = choice.names.filter(isFunction)
      return names.length > 0 ? { ...choice, names } : null
    }
    default:
      return choice
  }
}

function callingConfigOf(choice: ToolChoice | null): JsonObject | null {
  switch (choice?.type) {
    case 'none':
      return { mode: 'NONE' }
    case 'required':
      return { mode: 'ANY' }
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [functionName(choice.name)] }
    case 'allowed':
      return { mode: choice.required ? 'ANY' : 'VALIDATED', allowedFunctionNames: choice.names.map(functionName) }
    default:
      return null
  }
}

/** Something is to be called: what the client may have, or the tool that is the answer. */
function forcing(choice: ToolChoice | null, { name }: FunctionTool, tools: readonly Tool[]): JsonObject {
  const names =
    choice?.type === 'tool'
      ? [choice.name]
      : choice?.type === 'allowed'
        ? choice.required
          ? choice.names
          : [...choice.names, name]
        : choice?.type === 'required'
          ? tools.filter(({ type }) => type !== 'own').map((tool) => tool.name)
          : null
  return names === null ? { mode: 'ANY' } : { mode: 'ANY', allowedFunctionNames: names.map(functionName) }
}
