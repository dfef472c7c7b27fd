/** A streamed chat completion said whole: OpenAI's `chat.completion.chunk`s as one `chat.completion`. */
import {
  addPart,
  foldChoices,
  inOrder,
  isFilled,
  readChunks,
  readIndex,
  refuseError,
  writeAnswer,
} from '../../stream/choices-fold.ts'
import { foldMembers, refuse, unlessRefused, type Shape } from '../../stream/json-fold.ts'
import { readItems, readMembers, writeMembers, type Members } from '../../stream/json-source.ts'
import { foldDetails } from './fold-details.ts'
import { joinRuns } from './runs.ts'

const FUNCTION: Shape = { members: { name: 'label', arguments: 'text' }, others: 'unknown' }
const CUSTOM: Shape = { members: { name: 'label', input: 'text' }, others: 'unknown' }
const CALL: Shape = {
  members: { id: 'label', type: 'label', function: FUNCTION, custom: CUSTOM },
  others: 'unknown',
}
const AUDIO: Shape = {
  members: { id: 'label', data: 'base64', transcript: 'text', expires_at: 'last' },
  others: 'unknown',
}
const DELTA: Shape = {
  members: {
    role: 'label',
    content: 'text',
    refusal: 'text',
    reasoning: 'text',
    reasoning_content: 'text',
    reasoning_details: foldDetails,
    tool_calls: foldCalls,
    function_call: FUNCTION,
    audio: AUDIO,
    annotations: 'list',
    images: 'list',
  },
  others: 'unknown',
}
const CHOICE: Shape = {
  members: {
    delta: DELTA,
    // Together's, beside each delta's content.
    text: 'text',
    logprobs: { members: {}, others: 'list' },
    finish_reason: 'filled',
    error: refuseError,
  },
  others: 'state',
}
const CHUNK: Shape = {
  members: { id: 'filled', created: 'filled', model: 'filled', choices: (sources) => foldChoices(sources, foldChoice) },
  others: 'last',
}

/**
 * The answer as it would have come unstreamed: every number as the provider wrote it, every text byte for byte.
 * Members that are not OpenAI's are kept, where what comes of their parts is beyond doubt (see json-fold.ts). What exists for
 * the stream's sake goes: `obfuscation`, the `index` of tool calls, a `usage` that is null.
 * @param events all events of a stream, latin1
 * @returns JSON, latin1; null unless the stream is whole, without an error, and can be said so
 */
export function foldChatStream(events: string): string | null {
  return unlessRefused(() => {
    const completion = foldMembers(readChunks(joinRuns(events), '"chat.completion.chunk"'), CHUNK)
    completion.set('object', '"chat.completion"')
    completion.delete('obfuscation')
    return writeAnswer(completion)
  })
}

function foldChoice(index: number, parts: readonly Members[]): string {
  const folded = foldMembers(parts, CHOICE)
  const delta = folded.get('delta')
  if (delta === undefined) refuse('a choice without a delta')
  const message = new Map([
    ['role', '"assistant"'],
    ['content', 'null'],
  ])
  for (const [name, value] of delta === 'null' ? [] : readMembers(delta)) {
    if (name !== 'role' || isFilled(value)) message.set(name, value)
  }
  const choice = new Map([
    ['index', String(index)],
    ['message', writeMembers(message)],
  ])
  // Perplexity tells the message so far beside each delta.
  for (const [name, value] of folded) if (name !== 'delta' && !choice.has(name)) choice.set(name, value)
  if (!isFilled(choice.get('finish_reason'))) {
    // Recordings may end by telling when they expire, and with nothing else.
    if (!tellsExpiry(message.get('audio'))) refuse('a choice without an end')
    choice.set('finish_reason', '"stop"')
  }
  return writeMembers(choice)
}

function foldCalls(sources: readonly string[]): string {
  const calls = new Map<number, Members[]>()
  const whole = new Set<string>()
  let next = 0
  for (const source of sources) {
    const told = new Set<number>()
    for (const item of readItems(source)) {
      const index = readIndex(item) ?? nextIndex(item, next, whole)
      if (told.has(index)) refuse('two calls in one')
      told.add(index)
      next = Math.max(next, index + 1)
      item.delete('index')
      addPart(calls, index, item)
    }
  }
  return `[${inOrder(calls).map(foldCall).join(',')}]`
}

/** Of a call without one: Mistral sends each whole. @param whole ids of those before; one that comes again tells of a part */
function nextIndex(item: Members, next: number, whole: Set<string>): number {
  const id = item.get('id')
  if (id === undefined || !isFilled(id) || whole.has(id)) refuse('no index')
  whole.add(id)
  return next
}

function foldCall([, parts]: readonly [number, Members[]]): string {
  // Some number each of several calls 0. Two ids are a contradiction; without ids, names that are told again give it away.
  const naming = parts.filter(namesFunction)
  if (naming.length > 1 && !naming.every((part) => isFilled(part.get('id')))) refuse('two calls in one')
  return writeMembers(foldMembers(parts, CALL))
}

function namesFunction(part: Members): boolean {
  const source = part.get('function') ?? 'null'
  return source !== 'null' && isFilled(readMembers(source).get('name'))
}

function tellsExpiry(audio: string | undefined): boolean {
  return audio !== undefined && audio !== 'null' && (readMembers(audio).get('expires_at') ?? 'null') !== 'null'
}
