/** `input`: a text, or items, of which several may be one message. */
import type { Part, ReasoningPart, Signature, TextPart, ToolCallPart } from '../../canonical/content.ts'
import { unsayable, wrong } from '../../canonical/problem.ts'
import type { Message } from '../../canonical/request.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import { readContent, readResultContent } from './content-read.ts'
import { openThought } from './reasoning-seal.ts'
import { objectsOf, stringOf } from './values.ts'

export interface Input {
  readonly system: readonly TextPart[]
  readonly messages: readonly Message[]
}

/** @throws GatewayError for items that make no sense, or that lie at a provider */
export function readInput(input: unknown): Input {
  if (typeof input === 'string') {
    return { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: input }] }] }
  }
  if (!Array.isArray(input) || input.length === 0) {
    throw wrong('input', '"input" has to be a string, or a list of at least one item.')
  }
  const reader = new InputReader(input)
  input.forEach((item: unknown, i) => reader.take(item, `input[${i}]`))
  return { system: reader.system, messages: reader.messages }
}

const ROLES: readonly unknown[] = ['system', 'developer', 'user', 'assistant'] satisfies Message['role'][]

/** Items of a user's turn that only this API knows: what its client found out for tools that this API describes. */
const RESULTS: ReadonlySet<string> = new Set([
  'computer_call_output',
  'local_shell_call_output',
  'shell_call_output',
  'apply_patch_call_output',
  'mcp_approval_response',
  'tool_search_output',
])

class InputReader {
  readonly system: TextPart[] = []
  readonly messages: { role: Message['role']; content: Part[] }[] = []
  /** The names of those that were called, by the calls' ids. */
  private readonly calls = new Map<string, string>()
  private readonly signatures: ReadonlyMap<string, Signature>

  constructor(items: readonly unknown[]) {
    this.signatures = signaturesOfCalls(items)
  }

  take(item: unknown, at: string): void {
    if (!isObject(item)) throw wrong(at, 'An item has to be an object.')
    const { role, id } = item
    const type = stringOf(item['type']) ?? (role === undefined && id !== undefined ? 'item_reference' : 'message')
    switch (type) {
      case 'message':
        return this.takeMessage(item, at)
      case 'function_call':
      case 'custom_tool_call':
        return this.takeCall(item, type === 'custom_tool_call', at)
      case 'function_call_output':
      case 'custom_tool_call_output':
        return this.takeResult(item, type === 'custom_tool_call_output', at)
      case 'reasoning':
        return this.takeReasoning(item)
      case 'item_reference':
        throw unsayable(at, 'This provider keeps no items that could be referred to: send the item itself.')
      case 'compaction':
      case 'compaction_summary':
        throw unsayable(at, 'Only the provider that has compacted a conversation can read it.')
      default:
        this.add(RESULTS.has(type) ? 'user' : 'assistant', [{ type: 'own', own: { origin: 'responses', value: item } }])
    }
  }

  private takeMessage(item: JsonObject, at: string): void {
    const { role } = item
    if (!ROLES.includes(role)) throw wrong(`${at}.role`, `The role has to be one of ${ROLES.join(', ')}.`)
    const content = readContent(item['content'], `${at}.content`)
    if ((role === 'system' || role === 'developer') && this.messages.length === 0) {
      for (const part of content) if (part.type === 'text') this.system.push(part)
    } else this.add(role as Message['role'], content)
  }

  private takeCall(item: JsonObject, custom: boolean, at: string): void {
    const { call_id: id, name } = item
    if (typeof id !== 'string' || id === '') throw wrong(`${at}.call_id`, 'A call has to have an id.')
    if (typeof name !== 'string' || name === '') throw wrong(`${at}.name`, 'A call has to name its tool.')
    const args = item[custom ? 'input' : 'arguments'] ?? ''
    if (typeof args !== 'string') {
      throw wrong(`${at}.${custom ? 'input' : 'arguments'}`, 'The arguments of a call have to be a string.')
    }
    this.calls.set(id, name)
    const signature = this.signatures.get(id)
    const call: ToolCallPart = {
      type: 'tool_call',
      id,
      name,
      arguments: args,
      ...(custom && { kind: 'custom' }),
      ...(signature && { signature }),
    }
    this.add('assistant', [call])
  }

  private takeResult(item: JsonObject, custom: boolean, at: string): void {
    const { call_id: id, output } = item
    const name = typeof id === 'string' ? this.calls.get(id) : undefined
    if (name === undefined) throw wrong(`${at}.call_id`, 'No call before it has this id.')
    const content = readResultContent(output, `${at}.output`)
    this.add('user', [{ type: 'tool_result', id: id as string, name, content, ...(custom && { kind: 'custom' }) }])
  }

  private takeReasoning(item: JsonObject): void {
    const encrypted = stringOf(item['encrypted_content'])
    const sealed = encrypted === null ? null : openThought(stringOf(item['id']) ?? '', encrypted)
    if (sealed !== null && sealed.call !== null) return
    const text = sealed?.text ?? (joined(item['summary']) || joined(item['content']))
    const thought: ReasoningPart = {
      type: 'reasoning',
      text,
      signature: sealed?.signature ?? null,
      ...(sealed?.summary && text !== '' && { summary: true }),
      ...(sealed !== null && sealed.redacted !== null && { redacted: sealed.redacted }),
    }
    if (text !== '' || sealed !== null) this.add('assistant', [thought])
  }

  private add(role: Message['role'], content: readonly Part[]): void {
    const last = this.messages.at(-1)
    if (last?.role === role) last.content.push(...content)
    else this.messages.push({ role, content: [...content] })
  }
}

/** Items of reasoning may be no more than the signature of a call, which is what some APIs sign. */
function signaturesOfCalls(items: readonly unknown[]): Map<string, Signature> {
  const signatures = new Map<string, Signature>()
  for (const { type, encrypted_content: encrypted } of objectsOf(items)) {
    if (type !== 'reasoning' || typeof encrypted !== 'string') continue
    const { call, signature } = openThought('', encrypted)
    if (call !== null && signature !== null) signatures.set(call, signature)
  }
  return signatures
}

/** The paragraphs of a summary, or of a thought. */
export function joined(paragraphs: unknown): string {
  return objectsOf(paragraphs)
    .map(({ text }) => stringOf(text) ?? '')
    .join('\n\n')
}
