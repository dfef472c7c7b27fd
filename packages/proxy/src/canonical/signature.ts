/**
 * What providers sign (thoughts, calls of tools) comes back with the next turn, through a client that speaks another API and
 * may by then be routed elsewhere. So a signature goes to such a client with the name of the API that gave it.
 */
import type { Origin, Signature } from './content.ts'

const ORIGINS: readonly string[] = ['chat', 'messages', 'responses', 'gemini', 'converse'] satisfies Origin[]
const MARK = 'mr1.'

/** As a client of another API than its own keeps it. */
export function sealedSignature({ origin, value }: Signature): string {
  return `${MARK}${origin}.${value}`
}

/** Whether a body may hold any that is sealed so. */
export function mayHoldSealed(body: string): boolean {
  return body.includes(`"${MARK}`)
}

export function isSealed(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith(MARK)
}

/**
 * @param text as it came back
 * @param client the API of who sends it: what has no mark is of that one
 */
export function openedSignature(text: string, client: Origin): Signature {
  if (text.startsWith(MARK)) {
    const end = text.indexOf('.', MARK.length)
    const origin = text.slice(MARK.length, Math.max(end, MARK.length))
    if (ORIGINS.includes(origin)) return { origin: origin as Origin, value: text.slice(end + 1) }
  }
  return { origin: client, value: text }
}

/** As its own API has it; null: it is of another. */
export function signatureFor(api: Origin, signature: Signature | null | undefined): string | null {
  return signature?.origin === api ? signature.value : null
}
