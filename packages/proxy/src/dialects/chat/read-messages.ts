/** The conversation in a chat completion's request. */
import type { Part, TextPart, ToolCallPart, ToolResultPart } from '../../canonical/content.ts'
import { unsayable, wrong } from '../../canonical/problem.ts'
import type { Message } from '../../canonical/request.ts'
import { filledText, isObject, objectOf, type JsonObject } from '../../canonical/values.ts'
import { callSignature } from './call-extras.ts'
import { cacheOf, readContent, readTexts } from './read-parts.ts'
import { readReasoning } from './read-reasoning.ts'

export interface Conversation {
  readonly system: readonly TextPart[]
  readonly messages: readonly Message[]
}

export function readMessages(list: readonly unknown[]): Conversation {
  const reading = new Reading()
  for (const [i, message] of list.entries()) reading.add(message, `messages[${i}]`)
  return reading
}

class Reading implements Conversation {
  readonly system: TextPart[] = []
  readonly messages: { role: Message['role']; content: Part[]; name?: string }[] = []
  private readonly calls = new Map<string, ToolCallPart>()
  /** Ids of calls of the deprecated kind, which has none, by name. */
  private readonly functionIds = new Map<string, string>()

  add(message: unknown, at: string): void {
    if (!isObject(message)) throw wrong(at, `"${at}" has to be an object.`)
    const { role } = message
    const marked = (parts: Part[]): Part[] => withCache(parts, message)
    switch (role) {
      case 'system':
      case 'developer': {
        const texts = readTexts(message['content'], `${at}.content`)
        if (this.messages.length === 0) this.system.push(...(marked(texts) as TextPart[]))
        else this.push(role, marked(texts), message)
        break
      }
      case 'user':
        this.push('user', marked(this.userContent(message, at)), message)
        break
      case 'assistant':
        this.push('assistant', marked(this.assistantContent(message, at)), message)
        break
      case 'tool':
        this.push('user', marked([this.toolResult(message, at)]))
        break
      case 'function':
        this.push('user', [this.functionResult(message, at)])
        break
      default:
        throw wrong(`${at}.role`, `"${at}.role" has to be system, developer, user, assistant or tool.`)
    }
  }

  private push(role: Message['role'], content: Part[], message?: JsonObject): void {
    const name = filledText(message?.['name'])
    const last = this.messages.at(-1)
    if (last?.role === role) {
      last.content.push(...content)
      if (message !== undefined && last.name !== (name ?? undefined)) delete last.name
    } else {
      this.messages.push({ role, content, ...(name === null ? {} : { name }) })
    }
  }

  private userContent(message: JsonObject, at: string): Part[] {
    const content = readContent(message['content'], `${at}.content`)
    if (content.some(({ type }) => type === 'refusal')) throw wrong(`${at}.content`, 'Only an assistant refuses.')
    return content
  }

  private assistantContent(message: JsonObject, at: string): Part[] {
    if (filledText(objectOf(message['audio'])['id']) !== null) {
      throw unsayable(`${at}.audio`, 'A recording of an earlier answer is known to the provider that has it only.')
    }
    const refusal = filledText(message['refusal'])
    const parts: Part[] = [...readReasoning(message), ...readContent(message['content'], `${at}.content`)]
    if (refusal !== null) parts.push({ type: 'refusal', text: refusal })
    const { tool_calls: calls, function_call: called } = message
    if (calls !== undefined && calls !== null) {
      if (!Array.isArray(calls)) throw wrong(`${at}.tool_calls`, `"${at}.tool_calls" has to be a list.`)
      for (const [i, call] of calls.entries()) parts.push(this.call(call, `${at}.tool_calls[${i}]`))
    }
    if (isObject(called)) parts.push(this.functionCall(called, `${at}.function_call`))
    return parts
  }

  private call(call: unknown, at: string): ToolCallPart {
    if (!isObject(call)) throw wrong(at, `"${at}" has to be an object.`)
    const id = filledText(call['id'])
    if (id === null) throw wrong(`${at}.id`, `"${at}.id" has to be a text.`)
    const custom = isObject(call['custom'])
    const called = custom ? objectOf(call['custom']) : objectOf(call['function'])
    const name = filledText(called['name'])
    const place = custom ? `${at}.custom` : `${at}.function`
    if (name === null) throw wrong(`${place}.name`, `"${place}.name" has to be a text.`)
    const said = custom ? called['input'] : called['arguments']
    const signature = callSignature(call)
    const part: ToolCallPart = {
      type: 'tool_call',
      id,
      name,
      arguments: custom && typeof said === 'string' ? said : argumentsOf(said, `${place}.arguments`),
      ...(custom ? { kind: 'custom' } : {}),
      ...(signature === null ? {} : { signature }),
      ...cacheOf(call),
    }
    this.calls.set(id, part)
    return part
  }

  private functionCall(called: JsonObject, at: string): ToolCallPart {
    const name = filledText(called['name'])
    if (name === null) throw wrong(`${at}.name`, `"${at}.name" has to be a text.`)
    const id = `call_function_${this.calls.size}`
    const part: ToolCallPart = {
      type: 'tool_call',
      id,
      name,
      arguments: argumentsOf(called['arguments'], `${at}.arguments`),
    }
    this.calls.set(id, part)
    this.functionIds.set(name, id)
    return part
  }

  private toolResult(message: JsonObject, at: string): ToolResultPart {
    const id = filledText(message['tool_call_id'])
    const call = id === null ? undefined : this.calls.get(id)
    if (id === null || call === undefined) {
      throw wrong(
        `${at}.tool_call_id`,
        `"${at}.tool_call_id" has to be the id of a call in an assistant's message before it.`,
      )
    }
    return resultOf(call, message, at)
  }

  private functionResult(message: JsonObject, at: string): ToolResultPart {
    const call = this.calls.get(this.functionIds.get(filledText(message['name']) ?? '') ?? '')
    if (call === undefined) {
      throw wrong(`${at}.name`, `"${at}.name" has to be the name of a function that was called in a message before it.`)
    }
    return resultOf(call, message, at)
  }
}

function resultOf(call: ToolCallPart, message: JsonObject, at: string): ToolResultPart {
  const content = readContent(message['content'], `${at}.content`).map((part, i) => {
    if (part.type === 'audio' || part.type === 'refusal') {
      throw wrong(`${at}.content[${i}].type`, 'A tool answers with text, images or files.')
    }
    return part
  })
  return {
    type: 'tool_result',
    id: call.id,
    name: call.name,
    content,
    ...(call.kind === 'custom' ? { kind: 'custom' } : {}),
  }
}

/** Some clients send the object itself. */
function argumentsOf(value: unknown, at: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (isObject(value)) return JSON.stringify(value)
  throw wrong(at, `"${at}" has to be JSON as text.`)
}

/** LiteLLM marks a whole message: that is its last part. */
function withCache(parts: Part[], message: JsonObject): Part[] {
  const { cache } = cacheOf(message)
  const last = parts.at(-1)
  if (cache === undefined || last === undefined || last.type === 'own' || last.type === 'reasoning') return parts
  return last.type === 'refusal' ? parts : [...parts.slice(0, -1), { ...last, cache }]
}
