/** Bytes inside JSON: base64, and the `data:` URLs that carry it (RFC 2397). */

const HEAD = /^data:([a-z]+\/[a-z0-9.+_-]+)?((?:;[a-z0-9_-]+=[^;,]*)*);base64,/i
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
/** Of a media type's parameters and all that stands before the data. */
const LONGEST_HEAD = 500

export interface DataUrl {
  /** In lower case; empty: the URL names none. */
  readonly mediaType: string
  /** base64, without line ends */
  readonly data: string
}

export function isDataUrl(url: string): boolean {
  return url.slice(0, 5).toLowerCase() === 'data:'
}

/** @returns null unless it is a `data:` URL in base64 that has data */
export function readDataUrl(url: string): DataUrl | null {
  const head = HEAD.exec(url.slice(0, LONGEST_HEAD))
  const data = head === null ? null : readBase64(url.slice(head[0].length))
  return head !== null && data !== null ? { mediaType: (head[1] ?? '').toLowerCase(), data } : null
}

export function writeDataUrl({ mediaType, data }: DataUrl): string {
  return `data:${mediaType};base64,${data}`
}

/** @returns the text without line ends; null if it is no base64, or empty */
export function readBase64(text: string): string | null {
  const data = /\s/.test(text) ? text.replace(/\s+/g, '') : text
  return BASE64.test(data) && data.replace(/=+$/, '').length % 4 !== 1 ? data : null
}

/** Whether it is an address that a provider may fetch. */
export function isRemoteUrl(url: string): boolean {
  return /^(?:https?|gs|s3):\/\/[^\s]+$/i.test(url)
}
