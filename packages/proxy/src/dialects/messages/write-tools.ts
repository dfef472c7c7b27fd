/** Tools, and the choice among them, as the Messages API has them. */
import type { Abilities } from '../../canonical/claude.ts'
import type { ChatRequest, CustomTool, FunctionTool, Tool, ToolChoice } from '../../canonical/request.ts'
import { TEXT_SCHEMA } from '../../canonical/tool-text.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { writeOwnTool } from './own-tools.ts'
import { nativeSchema } from './schema.ts'
import type { BlockWriter } from './write-blocks.ts'

export interface WrittenTools {
  readonly tools: JsonObject[]
  /** The names of OpenAI's custom tools: their calls are turned back. */
  readonly custom: ReadonlySet<string>
  /** Whether some could not be said. */
  readonly lost: boolean
}

export function writeTools(request: ChatRequest, { schemas }: Abilities, writer: BlockWriter): WrittenTools {
  const tools: JsonObject[] = []
  const custom = new Set<string>()
  let lost = false
  for (const tool of request.tools) {
    if (!isAllowed(tool, request.toolChoice)) continue
    if (tool.type === 'function') tools.push(writeFunction(tool, schemas, writer))
    else if (tool.type === 'custom') {
      custom.add(tool.name)
      tools.push(writeCustom(tool))
    } else {
      const own = writeOwnTool(tool)
      if (own === null) lost = true
      else tools.push(own)
    }
  }
  return { tools, custom, lost }
}

function isAllowed({ name }: Tool, choice: ToolChoice | null): boolean {
  return choice?.type !== 'allowed' || choice.names.includes(name)
}

function writeFunction(tool: FunctionTool, schemas: boolean, writer: BlockWriter): JsonObject {
  const { name, description, parameters, strict, cache } = tool
  const schema = parameters === null ? { type: 'object', properties: {} } : { type: 'object', ...parameters }
  const held = strict === true && schemas && isNative(schema)
  return {
    name,
    ...(description === null || description === '' ? {} : { description }),
    input_schema: schema,
    ...(held ? { strict: true } : {}),
    ...writer.cache(cache),
  }
}

/** Whether the API can hold a model to the schema as it stands. */
function isNative(schema: JsonObject): boolean {
  const native = nativeSchema(schema)
  return native !== null && JSON.stringify(native) === JSON.stringify(schema)
}

function writeCustom({ name, description, format }: CustomTool): JsonObject {
  const form = format === null || format === undefined ? '' : `Its input has this format: ${JSON.stringify(format)}`
  return {
    name,
    description: [description ?? '', form].filter(Boolean).join('\n\n') || 'Takes any text.',
    input_schema: TEXT_SCHEMA,
  }
}

/**
 * Tools that were called before, where a request names none any more: the API does not take calls of tools that it has not
 * been told of.
 */
export function calledBefore(messages: readonly JsonObject[]): JsonObject[] {
  const names = new Set<string>()
  for (const { content } of messages) {
    for (const { type, name } of content as JsonObject[]) if (type === 'tool_use') names.add(name as string)
  }
  return [...names].map((name) => ({ name, input_schema: { type: 'object', properties: {} } }))
}

/** @param single whether the model may call no more than one tool at a time */
export function writeChoice(choice: ToolChoice | null, single: boolean): JsonObject | null {
  const alone = single ? { disable_parallel_tool_use: true } : {}
  switch (choice?.type) {
    case undefined:
    case 'auto':
      return single || choice !== null ? { type: 'auto', ...alone } : null
    case 'none':
      return { type: 'none' }
    case 'required':
      return { type: 'any', ...alone }
    case 'tool':
      return { type: 'tool', name: choice.name, ...alone }
    case 'allowed':
      return { type: choice.required ? 'any' : 'auto', ...alone }
  }
}
