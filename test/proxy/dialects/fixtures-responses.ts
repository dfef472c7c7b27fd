/** Responses with what only OpenAI's Responses API has: tools that it runs itself, summaries in parts, annotations. */
import type { Fixture } from './fixtures.ts'
import type { Json } from './said.ts'
import { responseUsage } from './speakers.ts'

const USAGE = { input: 21, output: 13, cached: 4, cacheWrite: 0, reasoning: 5 }
const TEXT = 'The sky is blue.'
const PAGE = { type: 'url_citation', url: 'https://example.com/page', title: 'A page', start_index: 0, end_index: 3 }

function responseWith(output: readonly Json[], status: string): Json {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_770_933_892,
    status,
    error: null,
    incomplete_details: null,
    model: 'upstream-model',
    output,
    usage: status === 'completed' ? responseUsage(USAGE) : null,
  }
}

const message = (annotations: readonly Json[] = []): Json => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: TEXT, annotations, logprobs: [] }],
})

/** The events of a message that is streamed word by word. */
function messageEvents(index: number, annotations: readonly Json[]): Json[] {
  const at = { item_id: 'msg_1', output_index: index, content_index: 0 }
  const part = { type: 'output_text', text: '', annotations: [], logprobs: [] }
  return [
    {
      type: 'response.output_item.added',
      output_index: index,
      item: { ...message(), status: 'in_progress', content: [] },
    },
    { type: 'response.content_part.added', ...at, part },
    ...TEXT.split(/(?= )/).map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    ...annotations.map((annotation, number) => ({
      type: 'response.output_text.annotation.added',
      ...at,
      annotation_index: number,
      annotation,
    })),
    { type: 'response.output_text.done', ...at, text: TEXT, logprobs: [] },
    { type: 'response.content_part.done', ...at, part: { ...part, text: TEXT, annotations } },
    { type: 'response.output_item.done', output_index: index, item: message(annotations) },
  ]
}

/** @param before items that the provider makes by itself, and their own events between being added and being done */
function fixture(
  before: readonly (readonly [item: Json, events: readonly Json[]])[],
  annotations: readonly Json[] = [],
): Fixture {
  const output = [...before.map(([item]) => item), message(annotations)]
  const events = [
    { type: 'response.created', response: responseWith([], 'in_progress') },
    { type: 'response.in_progress', response: responseWith([], 'in_progress') },
    ...before.flatMap(([item, own], index) => [
      { type: 'response.output_item.added', output_index: index, item: { ...item, status: 'in_progress' } },
      ...own.map((event) => ({ ...event, output_index: index, item_id: item.id })),
      { type: 'response.output_item.done', output_index: index, item },
    ]),
    ...messageEvents(before.length, annotations),
    { type: 'response.completed', response: responseWith(output, 'completed') },
  ]
  return {
    api: 'responses',
    answer: responseWith(output, 'completed'),
    events: events.map((event, index) => ({ ...event, sequence_number: index })),
  }
}

const search = { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'sky' } }
const code = {
  id: 'ci_1',
  type: 'code_interpreter_call',
  status: 'completed',
  code: 'print(1)',
  container_id: 'c',
  outputs: null,
}
const image = { id: 'ig_1', type: 'image_generation_call', status: 'completed', result: 'iVBORw0KGgo=' }
const listed = {
  id: 'mcpl_1',
  type: 'mcp_list_tools',
  server_label: 'deep',
  tools: [{ name: 'ask', input_schema: {} }],
}
const called = {
  id: 'mcp_1',
  type: 'mcp_call',
  server_label: 'deep',
  name: 'ask',
  arguments: '{}',
  output: 'blue',
  error: null,
}
const found = { id: 'fs_1', type: 'file_search_call', status: 'completed', queries: ['sky'], results: null }

/** In each the text is the same. */
export const responsesOwn: Readonly<Record<string, Fixture>> = {
  'a search of the web, and what it found': fixture(
    [[search, [{ type: 'response.web_search_call.in_progress' }, { type: 'response.web_search_call.completed' }]]],
    [PAGE],
  ),
  'code that it runs': fixture([
    [
      code,
      [
        { type: 'response.code_interpreter_call.in_progress' },
        { type: 'response.code_interpreter_call_code.delta', delta: 'print(1)' },
        { type: 'response.code_interpreter_call_code.done', code: 'print(1)' },
        { type: 'response.code_interpreter_call.completed' },
      ],
    ],
  ]),
  'a search in files, and a server of tools': fixture([
    [found, [{ type: 'response.file_search_call.searching' }]],
    [listed, [{ type: 'response.mcp_list_tools.completed' }]],
    [called, [{ type: 'response.mcp_call_arguments.delta', delta: '{}' }, { type: 'response.mcp_call.completed' }]],
  ]),
  'an image that it makes': fixture([
    [
      image,
      [{ type: 'response.image_generation_call.partial_image', partial_image_b64: 'iVBO', partial_image_index: 0 }],
    ],
  ]),
  'an item unheard of': fixture([
    [{ id: 'uo_1', type: 'unheard_of_call', value: 1 }, [{ type: 'response.unheard_of.delta', delta: 'x' }]],
  ]),
  'notes of the file that it read': fixture(
    [[found, []]],
    [{ type: 'file_citation', file_id: 'file-1', filename: 'a.txt', index: 3 }],
  ),
}

/** Thoughts, summed up in two parts. */
export const summaries: Fixture = fixture([
  [
    {
      id: 'rs_1',
      type: 'reasoning',
      encrypted_content: 'ZW5j',
      summary: ['**First** part.', '**Second** part.'].map((text) => ({ type: 'summary_text', text })),
    },
    ['**First** part.', '**Second** part.'].flatMap((text, index) => [
      { type: 'response.reasoning_summary_part.added', summary_index: index, part: { type: 'summary_text', text: '' } },
      { type: 'response.reasoning_summary_text.delta', summary_index: index, delta: text.slice(0, 5) },
      { type: 'response.reasoning_summary_text.delta', summary_index: index, delta: text.slice(5) },
      { type: 'response.reasoning_summary_text.done', summary_index: index, text },
      { type: 'response.reasoning_summary_part.done', summary_index: index, part: { type: 'summary_text', text } },
    ]),
  ],
])
