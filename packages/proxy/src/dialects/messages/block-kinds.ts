import type { BlockKinds } from '../../canonical/turn.ts'

export const BLOCK_KINDS: BlockKinds = {
  isThought: (block) => 'type' in block && (block.type === 'thinking' || block.type === 'redacted_thinking'),
  isResult: (block) => 'type' in block && block.type === 'tool_result',
}
