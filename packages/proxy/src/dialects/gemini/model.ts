/** What differs between Gemini's models, by their names (its guides "Gemini thinking" and "Thought signatures"). */

/** How a model is told how much to think: by a level, by a budget of tokens, or not at all. */
export type Thinking = 'level' | 'budget' | 'none'

const NEWER = /^gemini-(?:[3-9]|\d\d)/
/** Names that stand for the newest of their kind. */
const NEWEST = /^gemini-(?:pro|flash|flash-lite)-latest$/
const BUDGETED = /^gemini-(?:2\.5-|robotics-er-)/
/** Those that draw or speak refuse to be told how much to think. */
const MAKES_MEDIA = /-(?:image|tts)\b/
/** Google's open models, which have no place for what the system says. */
const WITHOUT_SYSTEM = /^gemma-(?:[1-3]-|3n-)/

export function thinkingOf(model: string): Thinking {
  const name = nameOf(model)
  if (MAKES_MEDIA.test(name)) return 'none'
  if (isNewer(model)) return 'level'
  return BUDGETED.test(name) ? 'budget' : 'none'
}

/**
 * From Gemini 3 on a call of a tool has to come back with its signature, JSON can be asked for beside tools, and results of
 * tools may hold images.
 */
export function isNewer(model: string): boolean {
  const name = nameOf(model)
  return NEWER.test(name) || NEWEST.test(name)
}

export function takesSystem(model: string): boolean {
  return !WITHOUT_SYSTEM.test(nameOf(model))
}

/** As paths and bodies name it: `models/gemini-3-pro`. What has a folder of its own (`tunedModels/…`) keeps it. */
export function resourceOf(model: string): string {
  return model.includes('/') ? model : `models/${model}`
}

/** Below the base URL. @param method with its colon: `:generateContent` */
export function pathOf(model: string, method: string): string {
  return `/${resourceOf(model.toWellFormed()).split('/').map(encodeURIComponent).join('/')}${method}`
}

/** Without its folder. */
export function nameOf(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1)
}
