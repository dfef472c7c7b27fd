/** Answers that only one API gives, as that API's documentation has them. */
import type { Json } from './said.ts'
import {
  CHAT_HEAD,
  chatUsage,
  converseUsage,
  geminiUsage,
  MESSAGE_HEAD,
  messagesUsage,
  type Spoken,
} from './speakers.ts'

const USAGE = { input: 21, output: 13, cached: 0, cacheWrite: 0, reasoning: 0 }

export interface Fixture {
  readonly api: Spoken
  readonly answer: Json
  /** The same, streamed. */
  readonly events: readonly Json[]
}

function chatAnswer(message: Json, finish: string, more: Json = {}): Json {
  const choices = [
    { index: 0, message: { role: 'assistant', ...message }, logprobs: null, finish_reason: finish, ...more },
  ]
  return { ...CHAT_HEAD, object: 'chat.completion', choices, usage: chatUsage(USAGE) }
}

export function chatChunks(deltas: readonly Json[], finish: string): Json[] {
  const head = { ...CHAT_HEAD, object: 'chat.completion.chunk' }
  return [
    ...deltas.map((delta) => ({ ...head, choices: [{ index: 0, delta, finish_reason: null }] })),
    { ...head, choices: [{ index: 0, delta: {}, finish_reason: finish }], usage: chatUsage(USAGE) },
  ]
}

function messageAnswer(content: readonly Json[], stop: string): Json {
  return { ...MESSAGE_HEAD, content, stop_reason: stop, stop_sequence: null, usage: messagesUsage(USAGE) }
}

/** @param blocks as content_block_start has each, and its deltas */
function messageEvents(blocks: readonly (readonly [begun: Json, deltas: readonly Json[]])[], stop: string): Json[] {
  return [
    { type: 'message_start', message: { ...messageAnswer([], stop), stop_reason: null } },
    ...blocks.flatMap(([begun, deltas], index) => [
      { type: 'content_block_start', index, content_block: begun },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: 13 } },
    { type: 'message_stop' },
  ]
}

function geminiAnswer(parts: readonly Json[], more: Json = {}): Json {
  return {
    candidates: [{ content: { role: 'model', parts }, index: 0, finishReason: 'STOP', ...more }],
    usageMetadata: geminiUsage(USAGE),
    responseId: 'gemini-1',
  }
}

const REFUSAL = "I can't help with that."
const PAGE = { url: 'https://example.com/page', title: 'A page' }
const CITED = 'The sky is blue.'

const citationOfAnthropic = {
  type: 'web_search_result_location',
  ...PAGE,
  encrypted_index: 'ZW5j',
  cited_text: 'It is blue.',
}
const searched: readonly Json[] = [
  { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'sky' } },
  {
    type: 'web_search_tool_result',
    tool_use_id: 'srvtoolu_1',
    content: [{ type: 'web_search_result', ...PAGE, encrypted_content: 'ZW5j', page_age: null }],
  },
]

/** A refusal in words of its own. */
export const refusal: Fixture = {
  api: 'chat',
  answer: chatAnswer({ content: null, refusal: REFUSAL }, 'stop'),
  events: chatChunks(
    [{ role: 'assistant', content: '', refusal: null }, { refusal: "I can't" }, { refusal: ' help with that.' }],
    'stop',
  ),
}
export const REFUSAL_TEXT = REFUSAL

/** A text that rests on pages, in each API that tells them. */
export const citations: readonly Fixture[] = [
  {
    api: 'messages',
    answer: messageAnswer([...searched, { type: 'text', text: CITED, citations: [citationOfAnthropic] }], 'end_turn'),
    events: messageEvents(
      [
        [{ ...searched[0], input: {} }, [{ type: 'input_json_delta', partial_json: '{"query":"sky"}' }]],
        [searched[1], []],
        [
          { type: 'text', text: '', citations: [] },
          [
            { type: 'text_delta', text: CITED },
            { type: 'citations_delta', citation: citationOfAnthropic },
          ],
        ],
      ],
      'end_turn',
    ),
  },
  geminiFixture([{ text: CITED }], {
    groundingMetadata: {
      webSearchQueries: ['sky'],
      groundingChunks: [{ web: { uri: PAGE.url, title: PAGE.title } }],
      groundingSupports: [
        { segment: { startIndex: 0, endIndex: CITED.length, text: CITED }, groundingChunkIndices: [0] },
      ],
    },
  }),
  {
    api: 'chat',
    answer: chatAnswer(
      {
        content: CITED,
        annotations: [{ type: 'url_citation', url_citation: { ...PAGE, start_index: 0, end_index: CITED.length } }],
      },
      'stop',
    ),
    events: chatChunks(
      [
        { role: 'assistant', content: CITED },
        { annotations: [{ type: 'url_citation', url_citation: { ...PAGE, start_index: 0, end_index: CITED.length } }] },
      ],
      'stop',
    ),
  },
]
export const CITED_TEXT = CITED
export const CITED_URL = PAGE.url

function geminiFixture(parts: readonly Json[], more: Json = {}): Fixture {
  return { api: 'gemini', answer: geminiAnswer(parts, more), events: [geminiAnswer(parts, more)] }
}

/** What only one API can say, around a text that everybody can. */
export const ownBlocks: Readonly<Record<string, Fixture>> = {
  "Anthropic's redacted thinking and a block unheard of": {
    api: 'messages',
    answer: messageAnswer(
      [
        { type: 'redacted_thinking', data: 'cmVkYWN0ZWQ=' },
        { type: 'unheard_of', value: { deep: [1] } },
        { type: 'text', text: CITED },
      ],
      'end_turn',
    ),
    events: [
      { type: 'unheard_of_event', value: 1 },
      ...messageEvents(
        [
          [{ type: 'redacted_thinking', data: 'cmVkYWN0ZWQ=' }, []],
          [{ type: 'unheard_of', value: 1 }, [{ type: 'unheard_of_delta', value: 2 }]],
          [{ type: 'text', text: '' }, [{ type: 'text_delta', text: CITED }]],
        ],
        'end_turn',
      ),
    ],
  },
  'code that Gemini runs': geminiFixture([
    { executableCode: { language: 'PYTHON', code: 'print(1)' } },
    { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
    { unheardOf: { value: 1 } },
    { text: CITED },
  ]),
  'a block of Bedrock that is unheard of': {
    api: 'converse',
    answer: {
      output: { message: { role: 'assistant', content: [{ unheardOf: { value: 1 } }, { text: CITED }] } },
      stopReason: 'end_turn',
      usage: converseUsage(USAGE),
    },
    events: [
      { messageStart: { role: 'assistant' } },
      { unheardOfEvent: { value: 1 } },
      { contentBlockStart: { contentBlockIndex: 0, start: { unheardOf: {} } } },
      { contentBlockDelta: { contentBlockIndex: 0, delta: { unheardOf: {} } } },
      { contentBlockStop: { contentBlockIndex: 0 } },
      { contentBlockDelta: { contentBlockIndex: 1, delta: { text: CITED } } },
      { contentBlockStop: { contentBlockIndex: 1 } },
      { messageStop: { stopReason: 'end_turn' } },
      { metadata: { usage: converseUsage(USAGE) } },
    ],
  },
  "Mistral's lists of text and thinking": {
    api: 'chat',
    answer: chatAnswer(
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
          { type: 'text', text: CITED },
        ],
      },
      'stop',
    ),
    events: chatChunks(
      [
        { role: 'assistant', content: '' },
        { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }] },
        { content: CITED },
      ],
      'stop',
    ),
  },
  'an error that is null, and names that are unheard of': {
    api: 'chat',
    answer: { ...chatAnswer({ content: CITED, unheard_of: 1 }, 'stop'), error: null, unheard_of: {} },
    events: chatChunks([{ role: 'assistant', content: CITED, unheard_of: 1 }], 'stop').map((chunk) => ({
      ...chunk,
      error: null,
    })),
  },
}

/** Calls as some who speak OpenAI's API send them, though OpenAI does not. */
export const oddCalls: Readonly<Record<string, readonly Json[]>> = {
  'without an index': [{ tool_calls: [{ id: 'c1', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }] }],
  'whole, with its arguments': [
    {
      tool_calls: [
        { index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
      ],
    },
  ],
  'with its name and id in each piece': ['{"city"', ':"Oslo"}'].map((piece) => ({
    tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: piece } }],
  })),
  'with nulls in later pieces': [
    { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: null } }] },
    { tool_calls: [{ index: 0, id: null, type: null, function: { name: null, arguments: '{"city":"Oslo"}' } }] },
  ],
  'beginning at 1': [
    {
      tool_calls: [
        { index: 1, id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
      ],
    },
  ],
}

/** The arguments of two calls, by turns. */
export const callsByTurns: readonly Json[] = [
  {
    tool_calls: ['c1', 'c2'].map((id, index) => ({
      index,
      id,
      type: 'function',
      function: { name: 'weather', arguments: '' },
    })),
  },
  ...['{"city":', '"Oslo"}'].flatMap((piece) =>
    [0, 1].map((index) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ),
]

/** Two answers to one question. */
export const twoChoices: Readonly<Record<'chat' | 'gemini', Json>> = {
  chat: {
    ...CHAT_HEAD,
    object: 'chat.completion',
    choices: ['Heads', 'Tails'].map((content, index) => ({
      index,
      message: { role: 'assistant', content, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    })),
    usage: chatUsage(USAGE),
  },
  gemini: {
    candidates: ['Heads', 'Tails'].map((text, index) => ({
      index,
      content: { role: 'model', parts: [{ text }] },
      finishReason: 'STOP',
    })),
    usageMetadata: geminiUsage(USAGE),
  },
}
