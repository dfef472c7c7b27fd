/** Errors of providers that speak OpenAI's API, in all the forms they give them. */
import type { ProviderError } from '../../canonical/answer.ts'
import { filledText, isObject, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'

const LONGEST_TEXT = 500

/** @param body parsed; where it isn't JSON, its text */
export function readChatError(status: number, body: unknown): ProviderError {
  if (isObject(body)) return errorIn(body) ?? bare(`the provider answered ${status}`)
  const text = textOf(body).trim()
  // A page of HTML says nothing to who asked for JSON.
  return bare(text === '' || text.startsWith('<') ? `the provider answered ${status}` : text.slice(0, LONGEST_TEXT))
}

/** @returns null where an answer says none */
export function errorIn(answer: JsonObject): ProviderError | null {
  const { error, detail, message } = answer
  if (isObject(error)) return errorOf(error)
  if (typeof error === 'string' && error !== '') return { ...bare(error), code: codeOf(answer['code']) }
  if (Array.isArray(detail) && detail.length > 0) return detailOf(objectOf(detail[0]))
  if (isObject(detail)) return errorOf(detail)
  if (filledText(detail) !== null) return bare(textOf(detail))
  const isError = answer['object'] === 'error' || answer['type'] === 'error' || answer['choices'] === undefined
  if (!isError) return null
  // Mistral: what its server has said, as it is.
  if (isObject(message)) return { ...errorOf(answer), ...messageOf(message) }
  return filledText(message) === null ? null : errorOf(answer)
}

function errorOf({ message, type, code, param, metadata, error }: JsonObject): ProviderError {
  if (isObject(error)) return errorOf(error)
  // OpenRouter: what the provider behind it said.
  const raw = filledText(objectOf(metadata)['raw'])
  const said = filledText(message) ?? 'unknown error'
  return {
    message: raw === null ? said : `${said}: ${raw.slice(0, LONGEST_TEXT)}`,
    type: filledText(type),
    code: codeOf(code),
    param: filledText(param),
  }
}

function messageOf(message: JsonObject): Pick<ProviderError, 'message'> & Partial<ProviderError> {
  const [first] = listOf(message['detail'])
  if (!isObject(first)) return { message: JSON.stringify(message).slice(0, LONGEST_TEXT) }
  const { message: said, param } = detailOf(first)
  return { message: said, param }
}

/** FastAPI's, which many servers are made with. */
function detailOf({ msg, type, loc }: JsonObject): ProviderError {
  const param = Array.isArray(loc) ? loc.filter((place) => place !== 'body').join('.') : ''
  return {
    message: filledText(msg) ?? 'unknown error',
    type: filledText(type),
    code: null,
    param: param === '' ? null : param,
  }
}

function codeOf(code: unknown): string | null {
  return typeof code === 'number' ? String(code) : filledText(code)
}

function bare(message: string): ProviderError {
  return { message, type: null, code: null, param: null }
}
