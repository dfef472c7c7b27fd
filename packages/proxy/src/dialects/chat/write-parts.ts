/** The parts of an answer as OpenAI's messages and deltas have them. */
import type { TokenLogprob } from '../../canonical/answer.ts'
import type { AudioPart, Citation, ImagePart, ReasoningPart, Signature } from '../../canonical/content.ts'
import { writeDataUrl } from '../../canonical/data-url.ts'
import { sealedSignature } from '../../canonical/signature.ts'
import { formatOf } from './reasoning-formats.ts'

/** Of `reasoning_details`. */
export type ReasoningDetail = Readonly<Record<string, unknown>>

/** @param index of the part among the message's */
export function reasoningDetails(part: ReasoningPart, index: number): ReasoningDetail[] {
  const { text, signature, summary, redacted } = part
  if (redacted !== undefined) return [redactedDetail(redacted, signature?.origin ?? 'messages', index)]
  if (signature === null) return [textDetail(text, summary === true, index)]
  if (summary !== true && text !== '') {
    const format = formatOf(signature.origin)
    return [{ type: 'reasoning.text', text, signature: sealedSignature(signature), format, index }]
  }
  return [...(text === '' ? [] : [textDetail(text, summary === true, index)]), signatureDetail(signature, true, index)]
}

export function textDetail(text: string, summary: boolean, index: number): ReasoningDetail {
  return summary ? { type: 'reasoning.summary', summary: text, index } : { type: 'reasoning.text', text, index }
}

/** @param encrypted whether it goes with no text that can be read, or with a summary of it */
export function signatureDetail(signature: Signature, encrypted: boolean, index: number): ReasoningDetail {
  const format = formatOf(signature.origin)
  const sealed = sealedSignature(signature)
  return encrypted
    ? { type: 'reasoning.encrypted', data: sealed, format, index }
    : { type: 'reasoning.text', signature: sealed, format, index }
}

export function redactedDetail(data: string, origin: Signature['origin'], index: number): ReasoningDetail {
  return signatureDetail({ origin, value: data }, true, index)
}

export interface UrlCitation {
  readonly type: 'url_citation'
  readonly url_citation: {
    readonly url: string
    readonly title: string
    readonly start_index: number
    readonly end_index: number
    readonly content?: string
  }
}

/**
 * @param start where the text begins, in the message, that rests on it
 * @param end where that ends
 * @returns null of what has no address: OpenAI knows no other citations
 */
export function urlCitation(citation: Citation, start: number, end: number): UrlCitation | null {
  const { url, title, quote } = citation
  if (url === null) return null
  return {
    type: 'url_citation',
    url_citation: {
      url,
      title: title ?? url,
      start_index: citation.start === null ? start : start + citation.start,
      end_index: citation.end === null ? end : start + citation.end,
      ...(quote === null ? {} : { content: quote }),
    },
  }
}

/** OpenRouter's form: OpenAI's own API gives no images in chat. */
export function imageOf({ source }: ImagePart): unknown {
  if (source.from === 'file') return null
  const url = source.from === 'url' ? source.url : writeDataUrl(source)
  return { type: 'image_url', image_url: { url } }
}

/** @param created when the answer was, in seconds: no provider but OpenAI knows the recording by its name */
export function audioOf({ id, data, transcript }: AudioPart, created: number, otherwise: string): unknown {
  return { id: id ?? otherwise, expires_at: created, data, transcript: transcript ?? '' }
}

export function logprobsOf(logprobs: readonly TokenLogprob[] | null): unknown {
  if (logprobs === null) return null
  return {
    content: logprobs.map(({ token, logprob, bytes, top }) => ({ token, logprob, bytes, top_logprobs: top })),
    refusal: null,
  }
}
