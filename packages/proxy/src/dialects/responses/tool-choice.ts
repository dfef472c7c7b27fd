import { wrong } from '../../canonical/problem.ts'
import type { Tool, ToolChoice } from '../../canonical/request.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import { objectsOf, stringOf } from './values.ts'

const WORDS: readonly unknown[] = ['auto', 'none', 'required']

export function readToolChoice(value: unknown, tools: readonly Tool[]): ToolChoice | null {
  if (value == null) return null
  if (WORDS.includes(value)) return { type: value as 'auto' | 'none' | 'required' }
  if (!isObject(value)) throw wrong('tool_choice', '"tool_choice" has to be auto, none, required or an object.')
  if (value['type'] === 'allowed_tools') return readAllowed(value)
  const name = nameOf(value)
  if (name === null || !tools.some((tool) => tool.name === name)) {
    throw wrong('tool_choice', '"tool_choice" has to name one of the tools.')
  }
  return { type: 'tool', name }
}

function readAllowed({ mode, tools }: JsonObject): ToolChoice {
  const names = objectsOf(tools).map(nameOf)
  if (names.length === 0 || !names.every((name) => name !== null)) {
    throw wrong('tool_choice.tools', '"tool_choice.tools" has to be a list of tools.')
  }
  return { type: 'allowed', names, required: mode === 'required' }
}

/** Tools that the provider runs have no name but their type. */
function nameOf({ type, name }: JsonObject): string | null {
  return stringOf(name) ?? stringOf(type)
}

/** @returns null where it names none of the tools */
export function toolChoiceOf(choice: ToolChoice, tools: readonly Tool[]): unknown {
  if (choice.type === 'tool') return pointer(choice.name, tools)
  if (choice.type !== 'allowed') return tools.length === 0 && choice.type === 'required' ? null : choice.type
  const allowed = choice.names.map((name) => pointer(name, tools)).filter((tool) => tool !== null)
  if (allowed.length === 0) return null
  return { type: 'allowed_tools', mode: choice.required ? 'required' : 'auto', tools: allowed }
}

function pointer(name: string, tools: readonly Tool[]): JsonObject | null {
  const tool = tools.find((one) => one.name === name)
  if (tool === undefined) return null
  if (tool.type !== 'own') return { type: tool.type, name }
  const { type } = isObject(tool.own.value) ? tool.own.value : {}
  return type === 'mcp' ? { type, server_label: name } : { type }
}
