/** The bundled price list (@pydantic/genai-prices). It knows its own data only: nothing is fetched. */
import { calcPrice, type ModelPrice } from '@pydantic/genai-prices'

import type { Price, Rates } from './cost.ts'
import type { ProviderKind } from './provider.ts'

/** Prices may change with the date and the time of day. */
const FRESH_MS = 60_000
/** Clients choose models, so what is kept of them is bounded. */
const MOST_KEPT = 10_000
const LONGEST_MODEL = 256

/** What the list has to know of a provider to know its prices. */
export interface PricedProvider {
  readonly kind: string
  readonly baseUrl: string | null
}

/** Whose prices a kind's are. */
export interface Vendor {
  /** The list's. */
  readonly id: string
  /** A model's name in the list. */
  readonly modelOf: (model: string) => string
}

export const VENDORS: ReadonlyMap<string, Vendor> = new Map<ProviderKind, Vendor>([
  ['OPENAI', { id: 'openai', modelOf: asItIs }],
  ['AZURE_OPENAI', { id: 'azure', modelOf: asItIs }],
  ['ANTHROPIC', { id: 'anthropic', modelOf: asItIs }],
  ['GEMINI', { id: 'google', modelOf: lastPart }],
  ['BEDROCK', { id: 'aws', modelOf: lastPart }],
])

function asItIs(model: string): string {
  return model
}

/** Of `models/gemini-…`, and of the ARN of a model or of an inference profile. */
function lastPart(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1)
}

interface Kept {
  readonly price: Price | null
  readonly until: number
}

/** Looks models up, and keeps what it found: a look takes some 15 µs. */
export class PriceList {
  /** Two generations: taking the oldest out of one large Map, again and again, costs more than a look. */
  #recent = new Map<string, Kept>()
  #before = new Map<string, Kept>()

  /**
   * The price of a provider's model now. Most kinds' are their vendor's wherever they live; those of OPENAI_COMPATIBLE go by
   * the address alone, because whoever serves a model of that name may ask anything for it.
   * @param now milliseconds since 1970
   * @returns null where no price is known
   */
  priceOf({ kind, baseUrl }: PricedProvider, model: string, now = Date.now()): Price | null {
    const vendor = VENDORS.get(kind)
    const provider = vendor?.id ?? (kind === 'OPENAI_COMPATIBLE' ? baseUrl : null)
    if (provider === null || model.length > LONGEST_MODEL) return null
    const key = `${provider} ${model}`
    const kept = this.#recent.get(key) ?? this.#before.get(key)
    if (kept !== undefined && now < kept.until) return kept.price
    const price =
      vendor === undefined
        ? lookUp({ providerApiUrl: provider }, model, now)
        : lookUp({ providerId: provider }, vendor.modelOf(model), now)
    if (this.#recent.size >= MOST_KEPT / 2) {
      this.#before = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(key, { price, until: now + FRESH_MS })
    return price
  }
}

function lookUp(
  provider: { readonly providerId: string } | { readonly providerApiUrl: string },
  model: string,
  now: number,
): Price | null {
  const found = calcPrice({}, model, { ...provider, timestamp: new Date(now) })
  return found === null ? null : priceFrom(found.model_price, found.model.id.includes('claude'))
}

/** What Anthropic asks for input that is kept for an hour, to what it asks for input. The list does not say it for all who serve its models. */
const HOUR_TO_INPUT = 2

/** One that names no price is free; one that names no price of tokens is paid for by something else. */
function priceFrom(prices: ModelPrice, isClaude: boolean): Price | null {
  if (prices['input_mtok'] === undefined && Object.keys(prices).length > 0) return null
  const starts = new Set(
    Object.values(prices).flatMap((value) => (typeof value === 'object' ? value.tiers.map(({ start }) => start) : [])),
  )
  const tiers = [...starts].sort((a, b) => b - a).map((above) => ({ ...ratesFrom(prices, isClaude, above), above }))
  return { ...ratesFrom(prices, isClaude, -1), tiers }
}

/** @param above what a request's input tokens are more than */
function ratesFrom(prices: ModelPrice, isClaude: boolean, above: number): Rates {
  const input = rate(prices['input_mtok'], above) ?? 0
  const output = rate(prices['output_mtok'], above) ?? 0
  const inputAudio = rate(prices['input_audio_mtok'], above) ?? input
  const cachedInput = rate(prices['cache_read_mtok'], above)
  const cacheWrite = rate(prices['cache_write_mtok'], above)
  const kept1h = isClaude && cacheWrite !== undefined ? input * HOUR_TO_INPUT : cacheWrite
  return {
    input,
    output,
    cachedInput: cachedInput ?? input,
    cacheWrite: cacheWrite ?? input,
    cacheWrite1h: rate(prices['cache_write_1h_mtok'], above) ?? kept1h ?? input,
    inputAudio,
    cachedInputAudio: rate(prices['cache_audio_read_mtok'], above) ?? cachedInput ?? inputAudio,
    outputAudio: rate(prices['output_audio_mtok'], above) ?? output,
    outputImage: rate(prices['output_image_mtok'], above) ?? output,
    reasoning: rate(prices['output_reasoning_mtok'], above) ?? output,
    request: (rate(prices['requests_kcount'], above) ?? 0) * THOUSANDS,
  }
}

/** In a million: the list has its price of requests a thousand. */
const THOUSANDS = 1_000

function rate(value: ModelPrice[string], above: number): number | undefined {
  if (typeof value !== 'object') return value
  let { base } = value
  let from = -1
  for (const { start, price } of value.tiers) {
    if (start > above || start < from) continue
    base = price
    from = start
  }
  return base
}
