/**
 * Structured output by a forced tool: where a provider's API knows no JSON Schema for its text, its answer is the arguments of
 * a call, which the client gets as the text that it asked for.
 */
import type { CanonicalAnswer, Choice, Finish, StreamPart } from '../canonical/answer.ts'
import type { Part } from '../canonical/content.ts'

/** @param tool its name; null: there is none, and the answer stays as it is */
export function answerOfTool(answer: CanonicalAnswer, tool: string | null): CanonicalAnswer {
  if (tool === null || answer.kind !== 'chat') return answer
  return { ...answer, choices: answer.choices.map((choice) => choiceOfTool(choice, tool)) }
}

function choiceOfTool(choice: Choice, tool: string): Choice {
  if (!choice.content.some((part) => isCallOf(part, tool))) return choice
  const content = choice.content.filter((part) => part.type !== 'text').map((part) => textOf(part, tool))
  const others = content.some(({ type }) => type === 'tool_call')
  return { ...choice, content, finish: others ? choice.finish : stopped(choice.finish) }
}

function textOf(part: Part, tool: string): Part {
  return part.type === 'tool_call' && part.name === tool ? { type: 'text', text: part.arguments || '{}' } : part
}

function isCallOf(part: Part, tool: string): boolean {
  return part.type === 'tool_call' && part.name === tool
}

function stopped(finish: Finish): Finish {
  return finish.reason === 'tool_calls' ? { ...finish, reason: 'stop', own: null } : finish
}

/** The same of a stream. */
export class ToolAnswerStream {
  private readonly tool: string
  /** The blocks that are the answer, as `choice:block`. */
  private readonly blocks = new Set<string>()
  /** Whether other tools are called. */
  private others = false
  private empty = true
  /** What is said beside calls: the answer after all, where the tool is not called. */
  private said: Extract<StreamPart, { type: 'text' }>[] = []

  constructor(tool: string) {
    this.tool = tool
  }

  take(part: StreamPart): readonly StreamPart[] {
    switch (part.type) {
      case 'tool_call':
        if (part.name !== this.tool) {
          this.others = true
          return [part]
        }
        this.blocks.add(`${part.choice}:${part.block}`)
        this.said = []
        return []
      case 'arguments':
        if (!this.blocks.has(`${part.choice}:${part.block}`)) return [part]
        if (part.text !== '') this.empty = false
        return [{ type: 'text', choice: part.choice, block: part.block, text: part.text }]
      case 'text':
        if (this.blocks.size === 0) this.said.push(part)
        return []
      case 'finish':
        return this.finish(part)
      default:
        return [part]
    }
  }

  private finish(part: Extract<StreamPart, { type: 'finish' }>): readonly StreamPart[] {
    if (this.blocks.size === 0) return [...this.said, part]
    const finish = this.others ? part : { ...part, finish: stopped(part.finish) }
    const [block] = this.blocks
    if (!this.empty || block === undefined) return [finish]
    return [{ type: 'text', choice: part.choice, block: Number(block.split(':')[1]), text: '{}' }, finish]
  }
}
