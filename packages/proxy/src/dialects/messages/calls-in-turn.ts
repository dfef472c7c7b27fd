/**
 * Calls one after another, as the API has them: some providers tell the arguments of several by turns, and readers take a
 * call for whole when its block ends.
 */
import type { StreamPart } from '../../canonical/answer.ts'

/** Holds what comes before its turn: nothing, of the streams of nearly all providers. */
export class CallsInTurn {
  /** The number of the call whose turn it is; null: none has begun, or its arguments are no JSON. */
  private open: number | null = null
  private json = new JsonEnd()
  private held: StreamPart[] = []

  /** @returns what may be said now, in order */
  take(part: StreamPart): readonly StreamPart[] {
    if (this.open === null) {
      if (part.type === 'tool_call') this.begin(part.block, part.kind)
      return [part]
    }
    if (part.type === 'finish' || part.type === 'done') return [...this.release(), part]
    if ('block' in part && part.block === this.open) {
      if (part.type !== 'arguments') return [part]
      this.json.take(part.text)
      return this.held.length > 0 && this.json.whole ? [part, ...this.again()] : [part]
    }
    // More of a call without any arguments yet may follow, too.
    if (this.held.length > 0 || !this.json.whole) {
      this.hold(part)
      return NOTHING
    }
    this.open = null
    return this.take(part)
  }

  private begin(block: number, kind: 'function' | 'custom' | undefined): void {
    if (kind === 'custom') return
    this.open = block
    this.json = new JsonEnd()
  }

  private hold(part: StreamPart): void {
    const last = this.held.at(-1)
    if (part.type === 'arguments' && last?.type === 'arguments' && last.block === part.block) {
      this.held[this.held.length - 1] = { ...last, text: last.text + part.text }
    } else this.held.push(part)
  }

  /** What was held, of which some may have to wait for the next call. */
  private again(): StreamPart[] {
    const { held } = this
    this.held = []
    this.open = null
    return held.flatMap((part) => this.take(part))
  }

  /** All that was held, each call's parts together: nothing else follows. */
  private release(): StreamPart[] {
    const parts: StreamPart[] = []
    while (this.held.length > 0) parts.push(...this.again())
    this.open = null
    return parts
  }
}

const NOTHING: readonly StreamPart[] = []

/** Finds where a JSON value that comes in pieces ends. */
class JsonEnd {
  private begun = false
  private depth = 0
  private inText = false
  private escaped = false

  get whole(): boolean {
    return this.begun && this.depth <= 0 && !this.inText
  }

  take(json: string): void {
    for (let i = 0; i < json.length; i++) this.step(json[i]!)
  }

  private step(char: string): void {
    if (this.inText) {
      if (this.escaped) this.escaped = false
      else if (char === '\\') this.escaped = true
      else if (char === '"') this.inText = false
      return
    }
    if (char === '"') this.inText = true
    else if (char === '{' || char === '[') this.depth++
    else if (char === '}' || char === ']') this.depth--
    if (char > ' ') this.begun = true
  }
}
