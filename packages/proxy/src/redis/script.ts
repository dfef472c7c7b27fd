import { createHash } from 'node:crypto'

/** A Lua script, which Redis runs as one step. */
export interface LuaScript {
  readonly text: string
  /** By which Redis knows it once it has seen it. */
  readonly sha1: string
}

export function luaScript(text: string): LuaScript {
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
