/** What messages and deltas of answers are made of, in all the forms that compatible providers give them. */
import type { TokenLogprob } from '../../canonical/answer.ts'
import type { Citation, ImagePart, Signature } from '../../canonical/content.ts'
import { isDataUrl, readDataUrl } from '../../canonical/data-url.ts'
import { filledText, isObject, listOf, numberOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'

/** One step of what a model says: text or thoughts. */
export type Said =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string; readonly summary: boolean; readonly index: unknown }
  | { readonly type: 'signature'; readonly signature: Signature; readonly index: unknown }
  | { readonly type: 'redacted'; readonly data: string; readonly index: unknown }
  | { readonly type: 'image'; readonly image: ImagePart }

/** @param message or delta. Thoughts come before what is said. */
export function readSaid(message: JsonObject): Said[] {
  const { content } = message
  const said = readThoughts(message)
  if (typeof content === 'string') {
    if (content !== '') said.push({ type: 'text', text: content })
  } else {
    for (const item of listOf(content)) said.push(...readItem(objectOf(item)))
  }
  for (const item of listOf(message['images'])) {
    const image = readImage(objectOf(item))
    if (image !== null) said.push({ type: 'image', image })
  }
  return said
}

/** DeepSeek's `reasoning_content`, Groq's and vLLM's `reasoning`, OpenRouter's `reasoning_details`, which tell the same again. */
function readThoughts(message: JsonObject): Said[] {
  const details = listOf(message['reasoning_details']).flatMap((detail) => readDetail(objectOf(detail)))
  if (details.some(({ type }) => type === 'reasoning' || type === 'redacted')) return details
  const text = textOf(message['reasoning_content']) || textOf(message['reasoning'])
  return text === '' ? details : [{ type: 'reasoning', text, summary: false, index: undefined }, ...details]
}

function readDetail(detail: JsonObject): Said[] {
  const { text, summary, data, index, ...rest } = detail
  const said: Said[] = []
  const words = textOf(text) || textOf(summary)
  if (words !== '')
    said.push({ type: 'reasoning', text: words, summary: detail['type'] === 'reasoning.summary', index })
  // Its own form comes back as it was: the value is the whole of it, but for what can be read.
  const own = (): string =>
    JSON.stringify({ ...rest, ...(data === undefined ? {} : { data }), ...(index === undefined ? {} : { index }) })
  if (detail['type'] === 'reasoning.encrypted') {
    const isRedacted = textOf(detail['format']).startsWith('anthropic-')
    if (isRedacted) said.push({ type: 'redacted', data: own(), index })
    else said.push({ type: 'signature', signature: { origin: 'chat', value: own() }, index })
  } else if (filledText(detail['signature']) !== null) {
    said.push({ type: 'signature', signature: { origin: 'chat', value: own() }, index })
  }
  return said
}

/** Of Mistral's lists. */
function readItem(item: JsonObject): Said[] {
  switch (item['type']) {
    case 'text':
    case 'output_text': {
      const text = textOf(item['text'])
      return text === '' ? [] : [{ type: 'text', text }]
    }
    case 'thinking': {
      const { thinking } = item
      const text =
        typeof thinking === 'string'
          ? thinking
          : listOf(thinking)
              .map((each) => textOf(objectOf(each)['text']))
              .join('')
      return text === '' ? [] : [{ type: 'reasoning', text, summary: false, index: undefined }]
    }
    case 'image_url': {
      const image = readImage(item)
      return image === null ? [] : [{ type: 'image', image }]
    }
    default:
      return []
  }
}

function readImage(item: JsonObject): ImagePart | null {
  const url = filledText(objectOf(item['image_url'])['url']) ?? filledText(item['image_url'])
  if (url === null) return null
  if (!isDataUrl(url)) return { type: 'image', source: { from: 'url', url } }
  const data = readDataUrl(url)
  return data && { type: 'image', source: { from: 'data', ...data } }
}

/** OpenAI's annotations of a message or a delta. */
export function readAnnotations(message: JsonObject): Citation[] {
  return listOf(message['annotations']).flatMap((annotation) => {
    const { type, url_citation: cited } = objectOf(annotation)
    if (type !== 'url_citation' || !isObject(cited)) return []
    const { url, title, content, start_index: start, end_index: end } = cited
    return [
      {
        url: filledText(url),
        title: filledText(title),
        quote: filledText(content),
        start: numberOf(start),
        end: numberOf(end),
        own: { origin: 'chat', value: annotation },
      },
    ]
  })
}

/** Beside the choices: Perplexity's `search_results`, before them `citations`, xAI's alike. */
export function readSources(answer: JsonObject): Citation[] {
  const results = listOf(answer['search_results'])
  if (results.length > 0)
    return results.flatMap((result) => sourceOf(objectOf(result)['url'], objectOf(result)['title'], result))
  return listOf(answer['citations']).flatMap((citation) => sourceOf(citation, null, citation))
}

function sourceOf(url: unknown, title: unknown, value: unknown): Citation[] {
  const address = filledText(url)
  if (address === null) return []
  const own = { origin: 'chat', value } as const
  return [{ url: address, title: filledText(title), quote: null, start: null, end: null, own }]
}

/** Null: there are none. */
export function readLogprobs(choice: JsonObject): TokenLogprob[] | null {
  const tokens = listOf(objectOf(choice['logprobs'])['content'])
  return tokens.length === 0 ? null : tokens.map(readLogprob)
}

function readLogprob(value: unknown): TokenLogprob {
  const token = objectOf(value)
  return { ...bare(token), top: listOf(token['top_logprobs']).map((each) => bare(objectOf(each))) }
}

function bare({ token, logprob, bytes }: JsonObject): Omit<TokenLogprob, 'top'> {
  const known = Array.isArray(bytes) && bytes.every((byte) => typeof byte === 'number')
  return { token: textOf(token), logprob: numberOf(logprob) ?? -9999, bytes: known ? bytes : null }
}
