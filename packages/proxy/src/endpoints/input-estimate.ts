import { estimateTokens } from '@millrace/shared'

/** What an image, a file or a recording counts as: providers count by its size, and what is in the body tells little of that. */
const TOKENS_A_PIECE = 1_000
/** How base64 begins in the bodies of all APIs: in a data URL, or as a member of its own (OpenAI's recordings, Anthropic's images). */
const BEGINNINGS = /;base64,|"data"\s*:\s*"/g
/** Shorter texts under that name are no media. */
const SHORTEST_MEMBER = 256

/** Tokens of an input. @param json the body, as it came or as latin1 */
export function estimateInput(json: string): number {
  let characters = json.length
  let pieces = 0
  BEGINNINGS.lastIndex = 0
  for (let found = BEGINNINGS.exec(json); found !== null; found = BEGINNINGS.exec(json)) {
    const start = BEGINNINGS.lastIndex
    const end = endOfText(json, start)
    if (found[0].startsWith('"') && (end - start < SHORTEST_MEMBER || !isBase64(json, start))) continue
    characters -= end - start
    pieces++
    BEGINNINGS.lastIndex = end
  }
  return estimateTokens(characters) + pieces * TOKENS_A_PIECE
}

/** Base64 has no quote in it, nor anything that is escaped but a slash. */
function endOfText(json: string, at: number): number {
  const end = json.indexOf('"', at)
  return end < 0 ? json.length : end
}

/** Whether a text begins as base64 does. */
function isBase64(json: string, start: number): boolean {
  return /^(?:[A-Za-z0-9+/_-]|\\\/){128}/.test(json.slice(start, start + SHORTEST_MEMBER))
}
