import { findMembers } from '../../stream/json.ts'

const ERROR = new Set(['error'])
/** In a text the quotes would be escaped; a tool or a schema that the answer repeats may well have a member `error`. */
const FAILED_EVENT =
  /(?:^|[\r\n])(?:event: ?(?:error|response\.failed)[\r\n]|data: ?\{\s*"error"\s*:\s*\{)|"type"\s*:\s*"(?:error|response\.failed)"/

/** Whether a response, though it came with success and to its end, says that it is an error. @param body JSON, or all events, latin1 */
export function reportsResponseError(body: string): boolean {
  if (!body.trimStart().startsWith('{')) return FAILED_EVENT.test(body)
  const found = findMembers(body, ERROR)?.get('error') ?? []
  return found.some(({ start, end }) => body.slice(start, end) !== 'null')
}
