import type { ToolText } from '../../canonical/tool-text.ts'

export type BlockKind = 'text' | 'thought' | 'call' | 'image'

/** What goes on of one of Converse's blocks. */
export interface Block {
  readonly index: number
  readonly kind: BlockKind
  /** As the canonical form numbers it. */
  readonly number: number
  /** Characters so far of its text, or of its arguments. */
  length: number
  /** Of a call whose tool takes any text; null: it is another. */
  readonly custom: ToolText | null
  /** Of an image: it comes in pieces, and goes on whole. */
  readonly format: string
  readonly pieces: Buffer[]
}

/** The blocks of a stream that have not ended. Some models put two kinds into one of Converse's: then each is a block. */
export class Blocks {
  private open: Block[] = []
  private count = 0

  /** @returns null: none of its kind goes on there */
  find(index: number, kind: BlockKind): Block | null {
    for (const block of this.open) if (block.index === index && block.kind === kind) return block
    return null
  }

  /** The one that goes on; a new one where none does. */
  at(index: number, kind: BlockKind, custom: ToolText | null = null, format = ''): Block {
    const going = this.find(index, kind)
    if (going !== null) return going
    const block: Block = { index, kind, number: this.count++, length: 0, custom, format, pieces: [] }
    this.open.push(block)
    return block
  }

  /** @param index null: all of them @returns those that ended with it */
  end(index: number | null): readonly Block[] {
    const ended = index === null ? this.open : this.open.filter((block) => block.index === index)
    this.open = this.open.filter((block) => !ended.includes(block))
    return ended
  }
}
