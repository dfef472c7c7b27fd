/** A whole chat completion said as a stream: OpenAI's `chat.completion` as `chat.completion.chunk`s. */
import type { StreamedForm } from '../../stream/forms.ts'
import { refuse } from '../../stream/json-fold.ts'
import { readItems, readMembers, writeMembers, type Members } from '../../stream/json-source.ts'

/** What each chunk repeats. */
const COMMON = ['id', 'object', 'created', 'model', 'service_tier', 'system_fingerprint']
/** What a chunk of its own tells after the text, each by itself, since readers look for one of them at a time. */
const AFTER_TEXT = ['annotations', 'images', 'audio', 'function_call']
const TEXTS = ['content', 'refusal']
const TOLD_BY_NAME = new Set(['role', 'tool_calls', ...TEXTS, ...AFTER_TEXT])
const CHOICE_MEMBERS = new Set(['index', 'message', 'delta', 'logprobs', 'finish_reason'])
const ANSWER_MEMBERS = new Set(['choices', 'usage', ...COMMON])

const LINE_ENDS = /[\r\n][ \t\r\n]*/g
/** Characters of a stream: four times an answer that is stored. Each of its events repeats what they have in common. */
const MOST_LENGTH = 16_777_216
const DONE = 'data: [DONE]\n\n'

/**
 * The answer as a stream with usage. Each choice comes by itself: its role, what its provider adds, its whole text in one
 * chunk with its logprobs (a text cut into pieces would tell no more, and its tokens are not known), annotations, recording,
 * each tool call, and how it ended. Other members of a choice are in the chunk that ends it, those of the answer in the last
 * that ends one: there is where readers of a stream look, and it is never left out.
 * @param answer JSON, latin1
 * @returns null for what is no whole answer
 */
export function unfoldChatAnswer(answer: string): StreamedForm | null {
  try {
    JSON.parse(answer)
    // A line end within a string would be escaped; any other ends a line of an event.
    return unfold(readMembers(answer.replace(LINE_ENDS, '')))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function unfold(completion: Members): StreamedForm {
  const object = completion.get('object') ?? 'null'
  if (object !== '"chat.completion"' && object !== 'null' && object !== '""') refuse('an unknown object')
  if (JSON.parse(completion.get('error') ?? 'null')) refuse('an error')
  const choices = readItems(completion.get('choices') ?? refuse('no choices'))
  if (choices.length === 0) refuse('no choices')
  const head = commonHead(completion)
  const others = [...completion].filter(([name]) => !ANSWER_MEMBERS.has(name))
  const indices = new Set<number>()
  let events = ''
  for (const [i, choice] of choices.entries()) {
    const index = filled(choice.get('index')) ?? String(i)
    const place = Number(index)
    if (!Number.isSafeInteger(place) || place < 0 || indices.has(place))
      refuse('an index that is none, or another choice has')
    indices.add(place)
    if (JSON.parse(choice.get('error') ?? 'null')) refuse('an error')
    for (const part of deltas(choice)) {
      if (events.length > MOST_LENGTH) refuse('a stream that is too long')
      events += `${head}"choices":[{"index":${index},${part},"finish_reason":null}]}\n\n`
    }
    const more = i === choices.length - 1 ? membersAfter(others) : ''
    events += `${head}"choices":[{"index":${index},${ending(choice)}}]${more}}\n\n`
  }
  const usage = filled(completion.get('usage'))
  if (usage === null) return { events: events + DONE, ends: [events.length + DONE.length], usagePart: -1 }
  const withUsage = `${events}${head}"choices":[],"usage":${usage}}\n\n`
  const whole = withUsage + DONE
  return { events: whole, ends: [events.length, withUsage.length, whole.length], usagePart: 1 }
}

/** How each event begins, up to and with the comma before its choices. */
function commonHead(completion: Members): string {
  const common = new Map<string, string>()
  for (const name of COMMON) {
    const value = name === 'object' ? '"chat.completion.chunk"' : completion.get(name)
    if (value !== undefined) common.set(name, value)
  }
  return `data: ${writeMembers(common).slice(0, -1)},`
}

/** The chunks of a choice but the last, each without its index and end. */
function deltas(choice: Members): string[] {
  const message = readMembers(choice.get('message') ?? refuse('a choice without a message'))
  const noLogprobs = choice.has('logprobs') ? ',"logprobs":null' : ''
  const told = [`${delta(role(message))}${noLogprobs}`]

  const added = [...message].filter(([name, value]) => !TOLD_BY_NAME.has(name) && value !== 'null')
  if (added.length > 0) told.push(`${delta(added)}${noLogprobs}`)

  const text = TEXTS.flatMap((name) => member(message, name)).filter(([, value]) => value !== '""')
  const logprobs = filled(choice.get('logprobs'))
  if (text.length > 0 || logprobs !== null) {
    told.push(`${delta(text)}${logprobs === null ? noLogprobs : `,"logprobs":${logprobs}`}`)
  }
  for (const name of AFTER_TEXT) {
    const only = member(message, name)
    if (only.length > 0) told.push(`${delta(only)}${noLogprobs}`)
  }
  const calls = filled(message.get('tool_calls'))
  for (const [i, call] of (calls === null ? [] : readItems(calls)).entries()) {
    call.delete('index')
    const numbered = writeMembers([['index', String(i)], ...call])
    told.push(`${delta([['tool_calls', `[${numbered}]`]])}${noLogprobs}`)
  }
  return told
}

/** As OpenAI begins: text that is to come is empty here, and null stays null. */
function role(message: Members): [string, string][] {
  const begun: [string, string][] = [['role', filled(message.get('role')) ?? '"assistant"']]
  for (const name of TEXTS) {
    const text = message.get(name) ?? (name === 'content' ? 'null' : undefined)
    if (text === 'null') begun.push([name, text])
    else if (text?.startsWith('"')) begun.push([name, '""'])
  }
  return begun
}

function ending(choice: Members): string {
  const reason = filled(choice.get('finish_reason'))
  if (reason === null || reason === '""') refuse('a choice without an end')
  const noLogprobs = choice.has('logprobs') ? ',"logprobs":null' : ''
  const others = [...choice].filter(([name]) => !CHOICE_MEMBERS.has(name))
  return `"delta":{}${noLogprobs},"finish_reason":${reason}${membersAfter(others)}`
}

function delta(members: Iterable<readonly [string, string]>): string {
  return `"delta":${writeMembers(members)}`
}

/** The member, where it says something; none otherwise. */
function member(members: Members, name: string): [string, string][] {
  const value = filled(members.get(name))
  return value === null ? [] : [[name, value]]
}

function membersAfter(members: readonly (readonly [string, string])[]): string {
  return members.map(([name, value]) => `,"${name}":${value}`).join('')
}

function filled(source: string | undefined): string | null {
  return source === undefined || source === 'null' ? null : source
}
