/** What an answer may say, in no API's words. speakers.ts says it in each. */
import type { Dialect } from './kinds.ts'
import type { Said, SaidFinish, SaidUsage } from './said.ts'

export interface ScenarioCall {
  readonly id: string
  readonly name: string
  /** JSON, in the pieces in which it is streamed; none: it has no arguments. */
  readonly pieces: readonly string[]
}

export interface Scenario {
  /** In the pieces in which it is streamed. */
  readonly reasoning: readonly string[]
  /** Of the reasoning, where its API signs it. */
  readonly signature: string | null
  readonly text: readonly string[]
  readonly calls: readonly ScenarioCall[]
  readonly finish: SaidFinish
  readonly usage: SaidUsage
}

const USAGE: SaidUsage = { input: 21, output: 13, cached: 0, cacheWrite: 0, reasoning: 0 }

const NOTHING: Scenario = { reasoning: [], signature: null, text: [], calls: [], finish: 'stop', usage: USAGE }

const OSLO: ScenarioCall = { id: 'call_oslo', name: 'weather', pieces: ['{"city"', ':"Os', 'lo","days":1.50}'] }
const ROME: ScenarioCall = { id: 'call_rome', name: 'weather', pieces: ['{"city":"Rome","big":123456789012345678901}'] }
const NOW: ScenarioCall = { id: 'call_now', name: 'now', pieces: [] }

/** Nothing in it is of one byte. */
const UNICODE = ['Grüße aus', ' København – ', '日本', '語 👩‍🚀', '🏳️‍🌈 é́', '\u2028\u0000'].map((text) =>
  text.normalize('NFC'),
)

export const SCENARIOS = {
  text: { ...NOTHING, text: ['Hello', ' from', ' there.'] },
  unicode: { ...NOTHING, text: UNICODE },
  'one call': { ...NOTHING, calls: [OSLO], finish: 'tool_calls' },
  'parallel calls': { ...NOTHING, calls: [OSLO, ROME, NOW], finish: 'tool_calls' },
  'a call without arguments': { ...NOTHING, text: ['Let me see.'], calls: [NOW], finish: 'tool_calls' },
  'text before calls': { ...NOTHING, text: ['Let me', ' look.'], calls: [OSLO, ROME], finish: 'tool_calls' },
  reasoning: {
    ...NOTHING,
    reasoning: ['First I', ' think,\n', 'then I say.'],
    signature: 'c2lnbmF0dXJl',
    text: ['Four.'],
    usage: { ...USAGE, reasoning: 7 },
  },
  'reasoning before a call': {
    ...NOTHING,
    reasoning: ['The weather is wanted.'],
    signature: 'c2lnbmVk',
    calls: [OSLO],
    finish: 'tool_calls',
  },
  'cut off by length': { ...NOTHING, text: ['Once upon'], finish: 'length' },
  'cut off by a filter': { ...NOTHING, text: ['How to'], finish: 'filtered' },
  'a cached prompt': { ...NOTHING, text: ['Again.'], usage: { ...USAGE, input: 2_100, cached: 2_000 } },
  nothing: NOTHING,
} as const satisfies Readonly<Record<string, Scenario>>

export type ScenarioName = keyof typeof SCENARIOS

export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[]

/** What everybody is to hear of it. */
export function saidOf({ reasoning, text, calls, finish, usage }: Scenario): Said {
  return {
    text: text.join(''),
    reasoning: reasoning.join(''),
    refusal: '',
    calls: calls.map(({ name, pieces }) => ({ name, arguments: JSON.parse(pieces.join('') || '{}') as unknown })),
    finish,
    usage,
  }
}

/** The same, as far as an API tells it: Anthropic's and Bedrock's don't tell how much was thought. */
export function toldIn(api: Dialect, scenario: Scenario): Said {
  const said = saidOf(scenario)
  const untold = api === 'messages' || api === 'converse'
  return untold ? { ...said, usage: { ...scenario.usage, reasoning: 0 } } : said
}
