/** Answers with the probability of each of their tokens: of the one that there is. */
import type { Json } from './said.ts'
import type { Spoken } from './speakers.ts'

const token = { token: 'Hi', logprob: -0.5, bytes: [72, 105] }
const candidate = { token: 'Hi', logProbability: -0.5 }

export const logprobs: readonly { readonly api: Spoken; readonly answer: Json }[] = [
  {
    api: 'gemini',
    answer: {
      candidates: [
        {
          index: 0,
          content: { role: 'model', parts: [{ text: 'Hi' }] },
          finishReason: 'STOP',
          logprobsResult: { topCandidates: [{ candidates: [candidate] }], chosenCandidates: [candidate] },
        },
      ],
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
    },
  },
  {
    api: 'responses',
    answer: {
      id: 'resp_1',
      object: 'response',
      created_at: 1_770_933_892,
      status: 'completed',
      model: 'upstream-model',
      output: [
        {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [
            { type: 'output_text', text: 'Hi', annotations: [], logprobs: [{ ...token, top_logprobs: [token] }] },
          ],
        },
      ],
      usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
    },
  },
]
