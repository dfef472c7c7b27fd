/** What streams say, event by event; see said.ts. */
import type { Dialect } from './kinds.ts'
import {
  Gathered,
  finishOf,
  finishOfChat,
  readChatContent,
  readGemini,
  readResponseEnd,
  usageOfChat,
  usageOfConverse,
  usageOfMessage,
  type Json,
  type Said,
} from './said.ts'

/** What a stream says. @param events the data of each, parsed */
export function saidByEvents(dialect: Dialect, events: readonly Json[]): Said {
  const gathered = new Gathered()
  readEvents(dialect, events, gathered)
  return gathered.said()
}

function readEvents(dialect: Dialect, events: readonly Json[], to: Gathered): void {
  if (dialect === 'chat') readChunks(events, to)
  else if (dialect === 'completions') readCompletionChunks(events, to)
  else if (dialect === 'messages') readMessageEvents(events, to)
  else if (dialect === 'responses') readResponseEvents(events, to)
  else if (dialect === 'gemini') for (const event of events) readGemini(event, to)
  else for (const event of events) readConverseEvent(event, to)
}

/** Calls go on by their numbers; those of servers that give them none, by their places in the list. */
function readChunks(chunks: readonly Json[], to: Gathered): void {
  const unnumbered: unknown[] = []
  for (const { choices, usage, x_groq: groq } of chunks) {
    const told = usage ?? groq?.usage
    if (told) to.usage = usageOfChat(told)
    for (const { index, delta, finish_reason: why, usage: ofChoice } of choices ?? []) {
      if (index !== 0) continue
      if (ofChoice && !told) to.usage = usageOfChat(ofChoice)
      readChatContent(delta.content, to)
      to.reasoning += delta.reasoning_content ?? delta.reasoning ?? ''
      to.refusal += delta.refusal ?? ''
      for (const [i, call] of (delta.tool_calls ?? []).entries()) {
        const { name, arguments: args, input } = call.function ?? call.custom ?? {}
        if (call.index === undefined) unnumbered[i] = call.id ?? unnumbered[i]
        to.call(unnumbered[call.index ?? i] ?? call.index, name, args ?? input)
      }
      to.finish = finishOfChat(why, to) ?? to.finish
    }
  }
}

function readCompletionChunks(chunks: readonly Json[], to: Gathered): void {
  for (const { choices, usage } of chunks) {
    if (usage) to.usage = usageOfChat(usage)
    for (const { index, text, finish_reason: why } of choices) {
      if (index !== 0) continue
      to.text += text
      to.finish = finishOf(why) ?? to.finish
    }
  }
}

/** Paragraphs of one item's thoughts are told apart by their numbers. */
function readResponseEvents(events: readonly Json[], to: Gathered): void {
  let thought: Json = null
  for (const event of events) {
    if (/^response\.reasoning_(?:summary_)?text\.delta$/.test(event.type)) {
      const { output_index: item, summary_index: summary, content_index: content } = event
      const paragraph = summary ?? content
      if (thought !== null && thought.item === item && thought.paragraph !== paragraph) to.reasoning += '\n\n'
      thought = { item, paragraph }
    }
    readResponseEvent(event, to)
  }
}

function readResponseEvent(event: Json, to: Gathered): void {
  switch (event.type) {
    case 'response.output_text.delta':
      to.text += event.delta
      break
    case 'response.refusal.delta':
      to.refusal += event.delta
      break
    case 'response.reasoning_summary_text.delta':
    case 'response.reasoning_text.delta':
      to.reasoning += event.delta
      break
    case 'response.output_item.added':
      if (event.item.type === 'function_call' || event.item.type === 'custom_tool_call') {
        to.call(event.output_index, event.item.name)
      }
      break
    case 'response.function_call_arguments.delta':
    case 'response.custom_tool_call_input.delta':
      to.call(event.output_index, '', event.delta)
      break
    case 'response.completed':
    case 'response.incomplete':
      readResponseEnd(event.response, to)
  }
}

function readMessageEvents(events: readonly Json[], to: Gathered): void {
  let usage: Json = null
  for (const event of events) {
    const { type, index, delta, content_block: block } = event
    if (type === 'message_start') usage = event.message.usage
    if (type === 'content_block_start' && block.type === 'tool_use') to.call(index, block.name)
    if (delta?.type === 'text_delta') to.text += delta.text
    if (delta?.type === 'thinking_delta') to.reasoning += delta.thinking
    // Those of tools that the provider runs itself are no calls of the client's.
    if (delta?.type === 'input_json_delta' && startedCall(events, index)) to.call(index, '', delta.partial_json)
    if (type === 'message_delta') {
      to.finish = finishOf(delta.stop_reason)
      usage = { ...usage, ...withoutNulls(event.usage) }
    }
  }
  to.usage = usageOfMessage(usage)
}

function startedCall(events: readonly Json[], index: number): boolean {
  return events.some((event) => event.index === index && event.content_block?.type === 'tool_use')
}

function withoutNulls(usage: Json): Json {
  return Object.fromEntries(Object.entries(usage ?? {}).filter(([, value]) => value !== null))
}

function readConverseEvent(event: Json, to: Gathered): void {
  const { contentBlockStart: start, contentBlockDelta: piece, messageStop, metadata } = event
  if (start?.start?.toolUse) to.call(start.contentBlockIndex, start.start.toolUse.name)
  to.text += piece?.delta.text ?? ''
  to.reasoning += piece?.delta.reasoningContent?.text ?? ''
  if (piece?.delta.toolUse) to.call(piece.contentBlockIndex, '', piece.delta.toolUse.input)
  if (messageStop) to.finish = finishOf(messageStop.stopReason)
  if (metadata) to.usage = usageOfConverse(metadata.usage)
}
