import { hash } from 'node:crypto'

const ALLOWED = /^[a-zA-Z0-9_-]{1,128}$/

/** The id of a tool call as the API takes it: letters, digits, `_` and `-`. The same id gives the same. */
export function writeToolId(id: string): string {
  return ALLOWED.test(id) ? id : `toolu_${hash('sha256', id, 'base64url').slice(0, 24)}`
}
