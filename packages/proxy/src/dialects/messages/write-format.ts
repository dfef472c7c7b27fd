/** An answer by a JSON Schema: as the model's own text where it can be held to that, else as a call of a tool. */
import type { Abilities } from '../../canonical/claude.ts'
import { isForced, type ChatRequest, type ResponseFormat } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { nativeSchema } from './schema.ts'

export interface WrittenFormat {
  /** `output_config.format`; null: none. */
  readonly native: JsonObject | null
  /** The tool whose arguments are the answer; null: none. */
  readonly tool: JsonObject | null
}

const PLAIN: WrittenFormat = { native: null, tool: null }

export function writeFormat({ format, tools, toolChoice }: ChatRequest, { schemas }: Abilities): WrittenFormat {
  if (format === null || format.type === 'text') return PLAIN
  const native = format.type === 'schema' && schemas ? nativeSchema(format.schema) : null
  if (native !== null) return { native: { type: 'json_schema', schema: native }, tool: null }
  // Then the answer is a call of one of the client's own.
  if (isForced(toolChoice) && tools.length > 0) return PLAIN
  return { native: null, tool: answerTool(format, new Set(tools.map(({ name }) => name))) }
}

function answerTool(format: Exclude<ResponseFormat, { type: 'text' }>, taken: ReadonlySet<string>): JsonObject {
  const named = format.type === 'schema'
  const schema = named ? { type: 'object', ...format.schema } : { type: 'object', additionalProperties: true }
  let name = (named && format.name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 60)) || 'json_answer'
  while (taken.has(name)) name += '_'
  const about = named && format.description !== null ? `${format.description}\n\n` : ''
  return {
    name,
    description: `${about}Gives the answer: its arguments are all of it, as JSON.`,
    input_schema: schema,
  }
}

/** For a model that cannot be made to call it. */
export function answerByTool(name: string): string {
  return `Give your final answer by calling the tool "${name}", and say nothing beside it.`
}
