/** What Google's models say in a way of their own. */
import type { Fixture } from './fixtures.ts'
import type { Json } from './said.ts'

const USAGE = { promptTokenCount: 21, candidatesTokenCount: 13, totalTokenCount: 34 }

function event(parts: readonly Json[], more: Json = {}): Json {
  return { candidates: [{ content: { role: 'model', parts }, index: 0, ...more }], usageMetadata: USAGE }
}

const piece = (jsonPath: string, value: Json, more: Json = {}): Json =>
  event([{ functionCall: { partialArgs: [{ jsonPath, ...value }], willContinue: true, ...more } }])

export const PARTIAL_ARGUMENTS = { city: 'Oslo', days: [{ from: 1 }] }

/** A call whose arguments come one after another, as Vertex AI may send them. */
export const partialCall: Fixture = {
  api: 'gemini',
  answer: event([{ functionCall: { name: 'weather', args: PARTIAL_ARGUMENTS } }], { finishReason: 'STOP' }),
  events: [
    event([{ functionCall: { name: 'weather', willContinue: true } }]),
    piece('$.city', { stringValue: 'Os', willContinue: true }),
    piece('$.city', { stringValue: 'lo' }),
    piece('$.days[0].from', { numberValue: 1 }),
    event([{ functionCall: {} }]),
    event([{ text: '' }], { finishReason: 'STOP' }),
  ],
}
