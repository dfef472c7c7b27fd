/** A provider of every kind at once: what it is asked at a path it answers in that path's API, streamed if that was asked. */
import type { Behaviour, SeenRequest } from '../../helpers/upstream.ts'
import { behaviours } from '../../helpers/upstream/behaviours.ts'
import type { Dialect } from './kinds.ts'
import { replayAnswer, replayStream } from './replay.ts'
import { saidOf, SCENARIOS, type Scenario } from './scenarios.ts'
import { eventsIn } from './speakers-events.ts'
import { answerIn, CHAT_FINISH, chatUsage, type Spoken } from './speakers.ts'

/** The API of a path, and whether a stream was asked for. */
interface AskedFor {
  readonly api: Dialect | 'count'
  readonly stream: boolean
}

/** @param choose what is said to a request */
export function speaking(choose: (seen: SeenRequest) => Scenario = () => SCENARIOS.text): Behaviour {
  return (exchange) => {
    const { seen } = exchange
    const asked = askedFor(seen)
    if (asked === null) return behaviours.raw('{"message":"no such path"}', { status: 404 })(exchange)
    return sayIn(asked, choose(seen), seen)(exchange)
  }
}

const PATHS: readonly (readonly [RegExp, Dialect | 'count'])[] = [
  [/\/(?:messages\/count_tokens|responses\/input_tokens|count-tokens)$|:countTokens$/, 'count'],
  [/\/chat\/completions$/, 'chat'],
  [/\/completions$/, 'completions'],
  [/\/embeddings$|:(?:batchEmbedContents|embedContent|predict)$|\/invoke$/, 'embeddings'],
  [/\/responses$/, 'responses'],
  [/\/messages$/, 'messages'],
  [/:(?:streamGenerateContent|generateContent)$/, 'gemini'],
  [/\/converse(?:-stream)?$/, 'converse'],
]

/** Null: at no path that any kind of provider has. */
function askedFor({ url, json }: SeenRequest): AskedFor | null {
  const path = url.split('?')[0]!
  const found = PATHS.find(([pattern]) => pattern.test(path))
  if (found === undefined) return null
  return { api: found[1], stream: json?.stream === true || /:stream|-stream$/.test(path) }
}

function sayIn({ api, stream }: AskedFor, scenario: Scenario, seen: SeenRequest): Behaviour {
  if (api === 'count') return replayAnswer(countIn(seen))
  if (api === 'embeddings') return replayAnswer(embeddingsIn(seen))
  if (api === 'completions') {
    const [answer, chunks] = completionOf(scenario)
    return stream ? replayStream(api, chunks) : replayAnswer(answer)
  }
  return stream ? replayStream(api, eventsIn(api, scenario)) : replayAnswer(answerIn(api satisfies Spoken, scenario))
}

/** How many tokens every input has. */
export const COUNTED = 17

function countIn({ url }: SeenRequest): object {
  if (url.includes(':countTokens')) return { totalTokens: COUNTED }
  if (url.includes('/responses/')) return { object: 'response.input_tokens', input_tokens: COUNTED }
  return url.includes('count-tokens') ? { inputTokens: COUNTED } : { input_tokens: COUNTED }
}

/** That every text has; a float of 32 bits holds them exactly. */
export const VECTOR: readonly number[] = [0.5, -0.25, 0.125]

function embeddingsIn({ url, json }: SeenRequest): object {
  if (url.includes(':batchEmbedContents')) {
    return { embeddings: json.requests.map(() => ({ values: VECTOR })), usageMetadata: { promptTokenCount: COUNTED } }
  }
  if (url.includes(':embedContent')) return { embedding: { values: VECTOR } }
  if (url.includes('/invoke')) return embeddingsOfBedrock(json)
  const inputs: readonly unknown[] = Array.isArray(json.input) ? json.input : [json.input]
  const embedding =
    json.encoding_format === 'base64' ? Buffer.from(new Float32Array(VECTOR).buffer).toString('base64') : VECTOR
  const data = inputs.map((_, index) => ({ object: 'embedding', index, embedding }))
  return { object: 'list', data, model: 'upstream-model', usage: { prompt_tokens: COUNTED, total_tokens: COUNTED } }
}

/** Amazon's own models take one text, Cohere's several. */
function embeddingsOfBedrock(json: { texts?: readonly string[] }): object {
  if (json.texts === undefined) return { embedding: VECTOR, inputTextTokenCount: COUNTED }
  return { embeddings: { float: json.texts.map(() => VECTOR) }, id: 'e', response_type: 'embeddings_by_type' }
}

function completionOf(scenario: Scenario): [answer: object, chunks: string[]] {
  const head = { id: 'cmpl-1', object: 'text_completion', created: 1_770_933_892, model: 'upstream-model' }
  const choice = (text: string, why: string | null): object => ({ text, index: 0, logprobs: null, finish_reason: why })
  const [why, usage] = [CHAT_FINISH[scenario.finish], chatUsage(scenario.usage)]
  const chunks = [
    ...scenario.text.map((text) => ({ ...head, choices: [choice(text, null)], usage: null })),
    { ...head, choices: [choice('', why)], usage: null },
    { ...head, choices: [], usage },
  ]
  const whole = { ...head, choices: [choice(saidOf(scenario).text, why)], usage }
  return [whole, chunks.map((chunk) => JSON.stringify(chunk))]
}
