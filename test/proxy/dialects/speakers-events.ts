/** Streams of providers, each in its own API, made of scenarios. */
import type { Json } from './said.ts'
import type { Scenario } from './scenarios.ts'
import {
  CHAT_FINISH,
  CHAT_HEAD,
  chatUsage,
  CONVERSE_FINISH,
  converseUsage,
  GEMINI_FINISH,
  geminiParts,
  geminiUsage,
  MESSAGE_HEAD,
  MESSAGES_FINISH,
  messagesUsage,
  responseItems,
  responseOf,
  responseStatus,
  type Spoken,
} from './speakers.ts'

/** The data of each event; of Bedrock `{NAME: payload}`. */
export function eventsIn(api: Spoken, scenario: Scenario): string[] {
  return SPEAKERS[api](scenario).map((event) => JSON.stringify(event))
}

const SPEAKERS: Readonly<Record<Spoken, (scenario: Scenario) => Json[]>> = {
  chat: streamChat,
  responses: streamResponse,
  messages: streamMessage,
  gemini: streamGemini,
  converse: streamConverse,
}

function streamChat({ reasoning, text, calls, finish, usage }: Scenario): Json[] {
  const head = { ...CHAT_HEAD, object: 'chat.completion.chunk' }
  const chunk = (delta: Json, why: string | null = null): Json => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: why }],
    usage: null,
  })
  return [
    chunk({ role: 'assistant', content: '' }),
    ...reasoning.map((piece) => chunk({ reasoning_content: piece })),
    ...text.map((content) => chunk({ content })),
    ...calls.flatMap(({ id, name, pieces }, index) => [
      chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
      ...pieces.map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ]),
    chunk({}, CHAT_FINISH[finish]),
    { ...head, choices: [], usage: chatUsage(usage) },
  ]
}

function streamResponse(scenario: Scenario): Json[] {
  const items = responseItems(scenario)
  const status = responseStatus(scenario)
  const events = [
    { type: 'response.created', response: responseOf(scenario, 'in_progress', []) },
    { type: 'response.in_progress', response: responseOf(scenario, 'in_progress', []) },
    ...items.flatMap((item, index) => itemEvents(scenario, item, index)),
    { type: `response.${status}`, response: responseOf(scenario, status, items) },
  ]
  return events.map((event, index) => ({ ...event, sequence_number: index }))
}

function itemEvents(scenario: Scenario, item: Json, index: number): Json[] {
  const at = { output_index: index, item_id: item.id }
  const begun = (more: object): Json => ({
    type: 'response.output_item.added',
    output_index: index,
    item: { ...item, ...more, ...(item.type === 'reasoning' ? {} : { status: 'in_progress' }) },
  })
  const done = { type: 'response.output_item.done', output_index: index, item }
  if (item.type === 'function_call') {
    const { pieces } = scenario.calls.find(({ id }) => id === item.call_id)!
    const deltas = (pieces.length > 0 ? pieces : ['{}']).map((delta) => ({
      type: 'response.function_call_arguments.delta',
      ...at,
      delta,
    }))
    const whole = { type: 'response.function_call_arguments.done', ...at, arguments: item.arguments, name: item.name }
    return [begun({ arguments: '' }), ...deltas, whole, done]
  }
  const summed = item.type === 'reasoning'
  const [part] = summed ? item.summary : item.content
  const name = summed ? 'response.reasoning_summary' : 'response.output'
  const where = { ...at, ...(summed ? { summary_index: 0 } : { content_index: 0 }) }
  const partName = summed ? 'response.reasoning_summary_part' : 'response.content_part'
  return [
    begun(summed ? { summary: [], encrypted_content: null } : { content: [] }),
    { type: `${partName}.added`, ...where, part: { ...part, text: '' } },
    ...(summed ? scenario.reasoning : scenario.text).map((delta) => ({
      type: `${name}_text.delta`,
      ...where,
      delta,
      ...(summed ? {} : { logprobs: [] }),
    })),
    { type: `${name}_text.done`, ...where, text: part.text, ...(summed ? {} : { logprobs: [] }) },
    { type: `${partName}.done`, ...where, part },
    done,
  ]
}

function streamMessage({ reasoning, signature, text, calls, finish, usage }: Scenario): Json[] {
  const told = messagesUsage(usage)
  const blocks: Json[][] = []
  const block = (begun: Json, deltas: readonly Json[]): void => {
    const index = blocks.length
    blocks.push([
      { type: 'content_block_start', index, content_block: begun },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ])
  }
  if (reasoning.length > 0) {
    const deltas = reasoning.map((thinking) => ({ type: 'thinking_delta', thinking }))
    block({ type: 'thinking', thinking: '', signature: '' }, [...deltas, { type: 'signature_delta', signature }])
  }
  if (text.length > 0)
    block(
      { type: 'text', text: '' },
      text.map((piece) => ({ type: 'text_delta', text: piece })),
    )
  for (const { id, name, pieces } of calls) {
    const deltas = ['', ...pieces].map((partial) => ({ type: 'input_json_delta', partial_json: partial }))
    block({ type: 'tool_use', id, name, input: {} }, deltas)
  }
  const begun = { ...MESSAGE_HEAD, content: [], stop_reason: null, stop_sequence: null }
  return [
    { type: 'message_start', message: { ...begun, usage: { ...told, output_tokens: 1 } } },
    { type: 'ping' },
    ...blocks.flat(),
    { type: 'message_delta', delta: { stop_reason: MESSAGES_FINISH[finish], stop_sequence: null }, usage: told },
    { type: 'message_stop' },
  ]
}

/** A part an event; the last says why it ends, and how much was used. */
function streamGemini(scenario: Scenario): Json[] {
  const { finish, usage } = scenario
  const told = { usageMetadata: geminiUsage(usage), modelVersion: 'upstream-model', responseId: 'gemini-1' }
  const event = (parts: readonly Json[], more: object): Json => ({
    candidates: [{ content: { role: 'model', ...(parts.length > 0 ? { parts } : {}) }, index: 0, ...more }],
    ...told,
  })
  const parts = geminiParts(scenario)
  return [...parts.map((part) => event([part], {})), event([{ text: '' }], { finishReason: GEMINI_FINISH[finish] })]
}

function streamConverse({ reasoning, signature, text, calls, finish, usage }: Scenario): Json[] {
  const blocks: Json[][] = []
  const block = (start: Json, deltas: readonly Json[]): void => {
    const contentBlockIndex = blocks.length
    blocks.push([
      ...(start === null ? [] : [{ contentBlockStart: { contentBlockIndex, start } }]),
      ...deltas.map((delta) => ({ contentBlockDelta: { contentBlockIndex, delta } })),
      { contentBlockStop: { contentBlockIndex } },
    ])
  }
  if (reasoning.length > 0) {
    const deltas = reasoning.map((piece) => ({ reasoningContent: { text: piece } }))
    block(null, [...deltas, { reasoningContent: { signature } }])
  }
  if (text.length > 0)
    block(
      null,
      text.map((piece) => ({ text: piece })),
    )
  for (const { id, name, pieces } of calls) {
    block(
      { toolUse: { toolUseId: id, name } },
      pieces.map((input) => ({ toolUse: { input } })),
    )
  }
  return [
    { messageStart: { role: 'assistant' } },
    ...blocks.flat(),
    { messageStop: { stopReason: CONVERSE_FINISH[finish] } },
    { metadata: { usage: converseUsage(usage), metrics: { latencyMs: 100 } } },
  ]
}
