/** Says a whole answer as Anthropic's Messages API does. */
import type { CanonicalAnswer, ChatAnswer } from '../../canonical/answer.ts'
import type { AnswerWriter, Saying } from '../../canonical/writer.ts'
import { writeAnswerBlocks } from './answer-blocks.ts'
import { finishMembers } from './finish.ts'
import { callIdOf, messageIdOf } from './ids.ts'
import { MessagesWriter } from './stream-write.ts'
import { writeTier, writeUsage } from './usage.ts'

export const messagesWriter: AnswerWriter = {
  answer: writeMessage,
  stream: (saying) => new MessagesWriter(saying),
}

function writeMessage(answer: CanonicalAnswer, saying: Saying): string {
  switch (answer.kind) {
    case 'count':
      return JSON.stringify({ input_tokens: answer.inputTokens })
    case 'embeddings':
      throw new Error('no embeddings are asked for as messages')
    case 'chat':
      return JSON.stringify(messageOf(answer, saying))
  }
}

function messageOf(answer: ChatAnswer, saying: Saying): object {
  // The API has one choice.
  const choice = answer.choices[0]
  const parts = choice?.content ?? []
  const content = parts.flatMap((part, i) => writeAnswerBlocks(part, callIdOf(saying, i)))
  const said = {
    tools: parts.some(({ type }) => type === 'tool_call'),
    refused: parts.some(({ type }) => type === 'refusal'),
  }
  return {
    id: answer.id === '' ? messageIdOf(saying) : answer.id,
    type: 'message',
    role: 'assistant',
    model: saying.model,
    content,
    ...finishMembers(choice?.finish ?? { reason: 'unknown', own: null, stopSequence: null }, said),
    container: null,
    diagnostics: null,
    usage: writeUsage(answer.usage, writeTier(answer.serviceTier)),
  }
}
