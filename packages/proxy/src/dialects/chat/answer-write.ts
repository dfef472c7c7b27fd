import type { AnswerWriter } from '../../canonical/writer.ts'

export const chatWriter: AnswerWriter = {
  answer: () => {
    throw new Error('not yet')
  },
  stream: () => {
    throw new Error('not yet')
  },
}
