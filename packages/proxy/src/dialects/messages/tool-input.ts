/** The arguments of a call: the API has an object, where others have text that may be anything. */
import { parseExact } from '../../canonical/exact-json.ts'
import { TEXT_MEMBER } from '../../canonical/tool-text.ts'
import { isObject, type JsonObject } from '../../canonical/values.ts'

/** What is no object, such as JSON that the model broke, stands in one. @param custom whether the text is no JSON at all */
export function writeInput(text: string, custom: boolean): JsonObject {
  if (custom) return { [TEXT_MEMBER]: text }
  if (text.trim() === '') return {}
  try {
    const value = parseExact(text)
    return isObject(value) ? value : { [TEXT_MEMBER]: text }
  } catch {
    return { [TEXT_MEMBER]: text }
  }
}

/** @param custom whether the client's tool takes any text */
export function readInput(input: unknown, custom: boolean): string {
  if (!custom) return input === undefined ? '' : JSON.stringify(input)
  const text = isObject(input) ? input[TEXT_MEMBER] : undefined
  return typeof text === 'string' ? text : JSON.stringify(input ?? {})
}
