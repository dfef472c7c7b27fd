/** Chat completions as OpenAI spells them. */

export const WORDS: readonly string[] = ['Hello', ' from', ' the', ' upstream', '.']

export interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
  readonly completion_tokens_details: { readonly reasoning_tokens: number }
}

/** What the fake upstream says that it used; all four of a record's numbers differ. */
export const USAGE: Usage = {
  prompt_tokens: 19,
  completion_tokens: 7,
  total_tokens: 26,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
}

const BASE = {
  id: 'chatcmpl-upstream',
  created: 1_770_933_892,
  service_tier: 'default',
  system_fingerprint: 'fp_upstream',
}

/** An unstreamed answer. */
export function completion(model: string, words: readonly string[] = WORDS): object {
  return {
    ...BASE,
    object: 'chat.completion',
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: words.join(''), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: USAGE,
  }
}

/** A streamed answer's events: role, one a word, the finish, and the usage where it was asked for. */
export function completionEvents(model: string, usageAsked: boolean, words: readonly string[] = WORDS): string[] {
  const chunk = (choices: object[], usage: Usage | null): string =>
    JSON.stringify({ ...BASE, object: 'chat.completion.chunk', model, choices, ...(usageAsked ? { usage } : {}) })
  const delta = (content: object, finish: string | null = null): string =>
    chunk([{ index: 0, delta: content, logprobs: null, finish_reason: finish }], null)
  return [
    delta({ role: 'assistant', content: '', refusal: null }),
    ...words.map((content) => delta({ content })),
    delta({}, 'stop'),
    ...(usageAsked ? [chunk([], USAGE)] : []),
  ]
}

/** OpenAI's error body. */
export function errorBody(
  message: string,
  type = 'invalid_request_error',
  code: string | null = null,
  param: string | null = null,
): string {
  return JSON.stringify({ error: { message, type, param, code } })
}
