import { estimateTokens } from '@millrace/shared'

/** What an image or a recording counts as: providers count by its size, and what is in the body tells little of that. */
const TOKENS_A_PIECE = 1_000
const DATA_URL = ';base64,'
const AUDIO = '"input_audio":'
const AUDIO_DATA = '"data"'

/** Tokens of a chat's input. @param json the body, as it came or as latin1 */
export function estimateInput(json: string): number {
  let characters = json.length
  let pieces = 0
  for (let at = json.indexOf(DATA_URL); at >= 0;) {
    const end = endOfText(json, at + DATA_URL.length)
    characters -= end - at
    pieces++
    at = json.indexOf(DATA_URL, end)
  }
  for (let at = json.indexOf(AUDIO); at >= 0;) {
    const name = json.indexOf(AUDIO_DATA, at)
    if (name < 0) break
    const start = json.indexOf('"', name + AUDIO_DATA.length) + 1
    if (start === 0) break
    const end = endOfText(json, start)
    characters -= end - start
    pieces++
    at = json.indexOf(AUDIO, end)
  }
  return estimateTokens(characters) + pieces * TOKENS_A_PIECE
}

/** Base64 has no quote in it, nor anything that is escaped but a slash. */
function endOfText(json: string, at: number): number {
  const end = json.indexOf('"', at)
  return end < 0 ? json.length : end
}
