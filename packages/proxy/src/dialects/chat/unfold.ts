/** A whole chat completion said as a stream: OpenAI's `chat.completion` as `chat.completion.chunk`s. */
import { readAnswer, streamedForm } from '../../stream/choices-unfold.ts'
import type { StreamedForm } from '../../stream/forms.ts'
import { refuse, unlessRefused } from '../../stream/json-fold.ts'
import { readItems, readMembers, writeMembers, type Members } from '../../stream/json-source.ts'

/** What each chunk repeats. */
const COMMON = ['id', 'object', 'created', 'model', 'service_tier', 'system_fingerprint']
/** What a chunk of its own tells after the text, each by itself, since readers look for one of them at a time. */
const AFTER_TEXT = ['annotations', 'images', 'audio', 'function_call']
const TEXTS = ['content', 'refusal']
const TOLD_BY_NAME = new Set(['role', 'tool_calls', ...TEXTS, ...AFTER_TEXT])
const CHOICE_MEMBERS = new Set(['index', 'message', 'delta', 'logprobs', 'finish_reason'])
const ANSWER_MEMBERS = new Set(['choices', 'usage', ...COMMON])

/** Characters of a stream: four times an answer that is stored. Each of its events repeats what they have in common. */
const MOST_LENGTH = 16_777_216

/**
 * The answer as a stream with usage. Each choice comes by itself: its role, what its provider adds, its whole text in one
 * chunk with its logprobs (a text cut into pieces would tell no more, and its tokens are not known), annotations, recording,
 * each tool call, and how it ended. Other members of a choice are in the chunk that ends it, those of the answer in the last
 * that ends one: there is where readers of a stream look, and it is never left out.
 * @param answer JSON, latin1
 * @returns null for what is no whole answer
 */
export function unfoldChatAnswer(answer: string): StreamedForm | null {
  return unlessRefused(() => unfold(answer))
}

function unfold(answer: string): StreamedForm {
  const { completion, choices } = readAnswer(answer, '"chat.completion"')
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
  return streamedForm(events, head, filled(completion.get('usage')))
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
