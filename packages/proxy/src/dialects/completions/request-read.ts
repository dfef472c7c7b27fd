/** What a client asks for in a completion's request (OpenAI's API reference, "Create completion"): a conversation of one message. */
import { given, OPENAI_PARAMS, readOpenAiParams, type Named } from '../../canonical/openai-params.ts'
import { unsayable, wrong } from '../../canonical/problem.ts'
import type { ChatRequest } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'

const KNOWN: ReadonlySet<string> = new Set([
  ...OPENAI_PARAMS,
  'model',
  'prompt',
  'stream',
  'stream_options',
  'suffix',
  'echo',
  'best_of',
])

/** @throws GatewayError see {@link Call.canonical} */
export function readCompletionRequest(body: JsonObject): ChatRequest {
  refuseOwn(body)
  const named: Named = { messages: 'prompt' }
  const { logprobs: _, ...others } = body
  return {
    kind: 'chat',
    system: [],
    messages: [{ role: 'user', content: [{ type: 'text', text: readPrompt(body['prompt']) }] }],
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    format: null,
    reasoning: null,
    params: readOpenAiParams(others, named),
    stream: body['stream'] === true,
    named,
    unknown: Object.keys(body).filter((name) => !KNOWN.has(name) && given(body, name)),
  }
}

function readPrompt(prompt: unknown): string {
  if (Array.isArray(prompt)) {
    if (prompt.length === 1 && typeof prompt[0] === 'string') return prompt[0]
    if (prompt.every((each) => typeof each === 'string') && prompt.length > 1) {
      throw unsayable(
        'prompt',
        'Several prompts at once are what the provider cannot be asked for: send one request each.',
      )
    }
    if (prompt.length > 0)
      throw unsayable('prompt', 'A prompt of tokens is understood by its model alone: send a text.')
  }
  if (typeof prompt !== 'string' || prompt === '') throw wrong('prompt', '"prompt" has to be a text.')
  return prompt
}

/** What is of completions alone. */
function refuseOwn(body: JsonObject): void {
  const { suffix, echo, best_of: best, logprobs } = body
  if (typeof suffix === 'string' && suffix !== '') throw unsayable('suffix', cannot('fill in before a suffix'))
  if (echo === true) throw unsayable('echo', cannot('repeat the prompt'))
  if (typeof best === 'number' && best > (typeof body['n'] === 'number' ? body['n'] : 1)) {
    throw unsayable('best_of', cannot('choose the best of several'))
  }
  if (given(body, 'logprobs') && logprobs !== false) {
    throw unsayable('logprobs', cannot('tell probabilities as completions do'))
  }
}

function cannot(what: string): string {
  return `The provider has no completions, and its API cannot ${what}.`
}
