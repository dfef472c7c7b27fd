/** A conversation in which a provider calls a tool, gets its result, and answers; and one that wants JSON. */
import type { SeenRequest } from '../../helpers/upstream.ts'
import type { Json } from './said.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'

export const PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'number' } },
  required: ['city'],
  additionalProperties: false,
}

/** What the tool says, and by which a provider knows that it has been called. */
export const RESULT = 'sunny at 18 degrees'

export const CONCLUSION = 'Take no umbrella.'

/** Two calls until their results are there. */
export function callingTools({ body }: SeenRequest): Scenario {
  return body.includes(RESULT) ? { ...SCENARIOS.text, text: [CONCLUSION] } : CALLS
}

const [oslo, rome] = SCENARIOS['text before calls'].calls
const CALLS: Scenario = { ...SCENARIOS['text before calls'], calls: [oslo, rome] }

/** Thinks, and calls, until the result is there. */
export function thinkingOfTools({ body }: SeenRequest): Scenario {
  return body.includes(RESULT) ? { ...SCENARIOS.text, text: [CONCLUSION] } : SCENARIOS['reasoning before a call']
}

/** By which it knows its thoughts again. */
export const SIGNATURE = SCENARIOS['reasoning before a call'].signature

export const SCHEMA = {
  type: 'object',
  properties: { answer: { type: 'integer' }, sure: { type: 'boolean' } },
  required: ['answer', 'sure'],
  additionalProperties: false,
}

/** What a schema was asked for with: text, or the arguments of the tool that has to be called. */
export function structured({ json }: SeenRequest): Scenario {
  const pieces = ['{"answer":4', '2,"sure":true}']
  const tool = forcedTool(json)
  if (tool === null) return { ...SCENARIOS.text, text: pieces }
  return { ...SCENARIOS['one call'], calls: [{ id: 'call_1', name: tool, pieces }] }
}

function forcedTool(json: Json): string | null {
  return json.tool_choice?.name ?? json.toolConfig?.toolChoice?.tool?.name ?? null
}
