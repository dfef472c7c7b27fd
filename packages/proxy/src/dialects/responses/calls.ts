import type { StoredStream } from '../../cache/answer.ts'

/** Items that wait for what their reader finds out, or decides. */
const CALL =
  /"type"\s*:\s*"(?:function_call|custom_tool_call|computer_call|local_shell_call|shell_call|apply_patch_call|tool_search_call|mcp_approval_request)"/
/** A small letter or `_`, escaped: a type may be spelt so. */
const ESCAPED_LETTER = /"type"\s*:\s*"[a-z_]*\\u00/

/**
 * Whether a response has its reader call tools; also where that cannot be said. In a text the quotes would be escaped.
 * @param body JSON, or all events, latin1
 */
export function responseCallsTools(body: string, _stream: StoredStream | null): boolean {
  return CALL.test(body) || ESCAPED_LETTER.test(body)
}
