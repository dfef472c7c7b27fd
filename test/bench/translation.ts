/**
 * What translating a stream costs, an event: `npm run build && node test/bench/translation.ts [rounds] [events]`. Each pair of a
 * provider's API and a client's, from the bytes of an event as they come to the text that its client gets; the median of all
 * rounds, and the worst of them. CPU of this process, in which nothing else runs. The goal is 25 µs.
 */
import { chatWriter } from '../../packages/proxy/dist/dialects/chat/answer-write.js'
import { readChatRequest } from '../../packages/proxy/dist/dialects/chat/request-read.js'
import { chatWire } from '../../packages/proxy/dist/dialects/chat/wire.js'
import { converseWire } from '../../packages/proxy/dist/dialects/converse/wire.js'
import { generateWire } from '../../packages/proxy/dist/dialects/gemini/wire.js'
import { messagesWriter } from '../../packages/proxy/dist/dialects/messages/answer-write.js'
import { messagesWire } from '../../packages/proxy/dist/dialects/messages/wire.js'
import { responsesWriter } from '../../packages/proxy/dist/dialects/responses/answer-write.js'
import { responsesWire } from '../../packages/proxy/dist/dialects/responses/wire.js'
import { AwsEventSplitter } from '../../packages/proxy/dist/stream/aws-event-stream.js'
import { EventSplitter } from '../../packages/proxy/dist/stream/events.js'
import type { Splitter } from '../../packages/proxy/dist/stream/splitter.js'
import { TranslatedStream } from '../../packages/proxy/dist/translation/translated-stream.js'
import { recordedFrames } from '../helpers/upstream/event-stream.ts'
import { SCENARIOS, type Scenario } from '../proxy/dialects/scenarios.ts'
import { eventsIn } from '../proxy/dialects/speakers-events.ts'
import { SPOKEN, type Spoken } from '../proxy/dialects/speakers.ts'
import { median } from './report.ts'

const GOAL = 25
const [rounds = 7, pieces = 10_000] = process.argv.slice(2).map(Number)

const WIRES = {
  chat: chatWire(),
  responses: responsesWire,
  messages: messagesWire,
  gemini: generateWire,
  converse: converseWire,
}
const WRITERS = { chat: chatWriter, responses: responsesWriter, messages: messagesWriter }
type Client = keyof typeof WRITERS

const MODEL = 'model'
const REQUEST = readChatRequest({ model: MODEL, messages: [{ role: 'user', content: 'Hello.' }], stream: true })
const SAYING = {
  model: MODEL,
  id: '00000000-0000-7000-8000-000000000000',
  created: 0,
  request: REQUEST,
  usageWanted: true,
}

/** Of a usual length; not all of it is ASCII, as in most languages. */
const WORDS = Array.from({ length: pieces }, (_, index) => (index % 10 === 0 ? ' façade' : ' word'))

const STREAMS: Readonly<Record<string, Scenario>> = {
  text: { ...SCENARIOS.text, text: WORDS },
  reasoning: { ...SCENARIOS.reasoning, reasoning: WORDS },
  arguments: {
    ...SCENARIOS['one call'],
    calls: [{ id: 'call_1', name: 'write', pieces: ['{"text":"', ...WORDS, '"}'] }],
  },
}

/** The bytes of each event. */
function bytesIn(api: Spoken, scenario: Scenario): Buffer[] {
  const events = eventsIn(api, scenario)
  if (api === 'converse') return recordedFrames(events)
  return [...events, ...(api === 'chat' ? ['[DONE]'] : [])].map((event) => Buffer.from(`data: ${event}\n\n`))
}

function splitterOf(api: Spoken): Splitter {
  return api === 'converse' ? new AwsEventSplitter() : new EventSplitter()
}

/** @returns microseconds of CPU an event */
function translate(api: Spoken, client: Client, events: readonly Buffer[]): number {
  const encoded = WIRES[api].encode(REQUEST, { model: MODEL, stream: true })
  const stream = new TranslatedStream(WIRES[api].reader(encoded), WRITERS[client].stream(SAYING), null)
  const splitter = splitterOf(api)
  let length = 0
  const before = process.cpuUsage()
  for (const bytes of events) {
    splitter.pushBytes(bytes)
    while (splitter.next()) length += stream.take(splitter.text, splitter.start, splitter.end).length
  }
  length += stream.close().length
  const { user, system } = process.cpuUsage(before)
  if (!stream.ended || stream.error !== null || length < pieces) throw new Error(`${api} to ${client}: not translated`)
  return (user + system) / events.length
}

let missed = 0
console.log(`µs of CPU an event: the median of ${rounds} rounds of ${pieces} events (the worst); the goal is ${GOAL}`)
for (const [name, scenario] of Object.entries(STREAMS)) {
  console.log(`\n${name.padEnd(12)}${Object.keys(WRITERS).map(heading).join('')}`)
  for (const api of SPOKEN) {
    // Gemini's calls come whole.
    if (name === 'arguments' && api === 'gemini') continue
    const events = bytesIn(api, scenario)
    const cells = Object.keys(WRITERS).map((client) => cellOf(api, client as Client, events))
    console.log(api.padEnd(12) + cells.join(''))
  }
}
if (missed > 0) console.log(`\n${missed} over the goal`)

function cellOf(api: Spoken, client: Client, events: readonly Buffer[]): string {
  // What speaks the same API is not translated.
  if (api === client) return '–'.padStart(20)
  translate(api, client, events)
  const taken = Array.from({ length: rounds }, () => translate(api, client, events))
  if (median(taken) > GOAL) missed++
  return `${median(taken).toFixed(1)} (${Math.max(...taken).toFixed(1)})`.padStart(20)
}

function heading(client: string): string {
  return `to ${client}`.padStart(20)
}
