/** What every chat completion says about itself. */
import type { CanonicalRequest } from '../../canonical/request.ts'
import type { StreamSaying } from '../../canonical/writer.ts'

export function completionId(own: string, { id }: StreamSaying): string {
  return own || `chatcmpl-${id.replaceAll('-', '')}`
}

/** Of a call whose provider gives none. */
export function callId({ id }: StreamSaying, choice: number, index: number): string {
  return `call_${id.replaceAll('-', '')}_${choice}_${index}`
}

/** Whether the client asks in the way from before there were tools, and is answered so. */
export function callsFunctions(request: CanonicalRequest): boolean {
  return request.kind === 'chat' && request.named.tools === 'functions'
}

/** OpenAI's, of which Anthropic's are others. */
export const TIERS: ReadonlySet<string> = new Set(['auto', 'default', 'flex', 'scale', 'priority', 'fast'])

/** OpenAI's word for it; null: there is none. Anthropic's `standard` is its `default`. */
export function serviceTierOf(own: string | null): string | null {
  if (own === 'standard') return 'default'
  return own !== null && TIERS.has(own) ? own : null
}
