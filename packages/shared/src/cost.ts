/** What a request costs, from its tokens and a route's price. What else a provider charges for (searches, audio, images) isn't in it. */
import type { TokenUsage } from './usage.ts'

/** USD a million tokens. */
export interface Rates {
  readonly input: number
  readonly output: number
  /** For input tokens that the provider had cached. */
  readonly cachedInput: number
}

export interface PriceTier extends Rates {
  /** Holds for all tokens of a request that has more input tokens than this. */
  readonly above: number
}

export interface Price extends Rates {
  /** The highest first. */
  readonly tiers: readonly PriceTier[]
}

/** A route's own prices, USD a million tokens; null: the list's. */
export interface OwnPrices {
  readonly inputPrice: number | null
  readonly outputPrice: number | null
  readonly cachedInputPrice: number | null
}

/**
 * A route's price: its own values over the list's. Where its own input price is without a price for cached input, that is
 * in the list's proportion, or the same.
 * @returns null unless input and output have a price
 */
export function routePrice(own: OwnPrices, list: Price | null): Price | null {
  const base = over(own, list)
  if (base === null) return null
  return { ...base, tiers: (list?.tiers ?? []).map((tier) => ({ ...over(own, tier)!, above: tier.above })) }
}

function over({ inputPrice, outputPrice, cachedInputPrice }: OwnPrices, list: Rates | null): Rates | null {
  const input = inputPrice ?? list?.input
  const output = outputPrice ?? list?.output
  if (input === undefined || output === undefined) return null
  const discount = list && list.input > 0 ? list.cachedInput / list.input : 1
  return { input, output, cachedInput: cachedInputPrice ?? input * discount }
}

/** Whole picodollars (10^-12 USD) in the USD-a-million-tokens of one token: so that sums stay exact. */
const PICODOLLARS = 1e6
const DECIMALS = 12
/** As many digits as a record holds. */
const MOST_PICODOLLARS = 1e31

/** What the tokens cost: USD as a plain decimal of up to 12 places, without an exponent or trailing zeros. */
export function costOf({ inputTokens, outputTokens, cachedInputTokens }: TokenUsage, price: Price): string {
  const { input, output, cachedInput } = ratesFor(price, inputTokens)
  const cached = Math.min(cachedInputTokens, inputTokens)
  const sum = (inputTokens - cached) * input + cached * cachedInput + outputTokens * output
  return decimal(Math.min(Math.round(sum * PICODOLLARS), MOST_PICODOLLARS))
}

/** What a million tokens of such a request cost on average, in USD: what LOWEST_COST compares. */
export function blendedPrice(price: Price, inputTokens: number, outputTokens: number): number {
  const { input, output } = ratesFor(price, inputTokens)
  const tokens = inputTokens + outputTokens
  return tokens === 0 ? (input + output) / 2 : (inputTokens * input + outputTokens * output) / tokens
}

/** The share of output in what a request is expected to use, where prices are compared: a third of its input. */
const EXPECTED_OUTPUT = 1 / 3

/** {@link blendedPrice} of a request whose output is not known yet. */
export function expectedPrice(price: Price, inputTokens: number): number {
  return blendedPrice(price, inputTokens, inputTokens * EXPECTED_OUTPUT)
}

function ratesFor(price: Price, inputTokens: number): Rates {
  for (const tier of price.tiers) if (inputTokens > tier.above) return tier
  return price
}

function decimal(picodollars: number): string {
  if (picodollars === 0) return '0'
  const digits = (picodollars < 1e21 ? String(picodollars) : BigInt(picodollars).toString()).padStart(DECIMALS + 1, '0')
  const point = digits.length - DECIMALS
  let end = digits.length
  while (end > point && digits.charCodeAt(end - 1) === 0x30) end--
  return end === point ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, end)}`
}
