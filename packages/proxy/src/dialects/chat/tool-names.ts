import { createHash } from 'node:crypto'

import type { ChatRequest } from '../../canonical/request.ts'
import type { ChatWireOptions } from './wire-options.ts'

const ALLOWED = /^[a-zA-Z0-9_-]{1,64}$/
const LONGEST_BEGINNING = 47

/** A tool's name as OpenAI, and most that are compatible, take it: the same gives the same, and another another. */
export function toolNameFor(name: string): string {
  if (ALLOWED.test(name)) return name
  const beginning = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, LONGEST_BEGINNING)
  return `${beginning}_${createHash('sha256').update(name).digest('hex').slice(0, 16)}`
}

/** What is to be known of a request's tools when its answer is read. */
export interface ToolMemo {
  /** Whose arguments are text again: the client has them as tools that take any text, the provider as functions. */
  readonly texts: ReadonlySet<string>
  /** Of names that had to be changed, as the client has them. */
  readonly names: ReadonlyMap<string, string>
}

/** Null: answers' calls are as the client has its tools. */
export function toolMemo({ tools }: ChatRequest, { openAi }: ChatWireOptions): ToolMemo | null {
  const texts = openAi ? [] : tools.filter(({ type }) => type === 'custom').map(({ name }) => name)
  const changed = tools.filter(({ name }) => !ALLOWED.test(name)).map(({ name }) => [toolNameFor(name), name] as const)
  return texts.length + changed.length === 0 ? null : { texts: new Set(texts), names: new Map(changed) }
}
