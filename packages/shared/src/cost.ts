/**
 * What a request costs, from its tokens and a route's price. What else a provider charges for (searches, images, storage)
 * isn't in it.
 */
import { decimalOf } from './money.ts'
import type { TokenUsage } from './usage.ts'

/** USD a million tokens. */
export interface Rates {
  readonly input: number
  readonly output: number
  /** For input tokens that the provider had cached. */
  readonly cachedInput: number
  /** For input tokens that the provider cached now. */
  readonly cacheWrite: number
  /** For those of them that it keeps for an hour. */
  readonly cacheWrite1h: number
  readonly inputAudio: number
  readonly cachedInputAudio: number
  readonly outputAudio: number
  readonly outputImage: number
  /** For output tokens that the model thought with: most providers' price of output. */
  readonly reasoning: number
  /** USD a million requests: what each costs beside its tokens. */
  readonly request: number
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
 * A route's price: its own values over the list's. What there is no own price for (cached input, audio, reasoning) stands to
 * its own input or output as it does in the list, or costs the same. A route with both has no price by request.
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
  const known = list ?? flatRates(input, output)
  const cachedInput = cachedInputPrice ?? inProportion(known.cachedInput, known.input, input)
  return {
    input,
    output,
    cachedInput,
    cacheWrite: inProportion(known.cacheWrite, known.input, input),
    cacheWrite1h: inProportion(known.cacheWrite1h, known.input, input),
    inputAudio: inProportion(known.inputAudio, known.input, input),
    cachedInputAudio: inProportion(known.cachedInputAudio, known.cachedInput, cachedInput),
    outputAudio: inProportion(known.outputAudio, known.output, output),
    outputImage: inProportion(known.outputImage, known.output, output),
    reasoning: inProportion(known.reasoning, known.output, output),
    request: inputPrice !== null && outputPrice !== null ? 0 : known.request,
  }
}

/** Rates that know input from output and nothing else. */
export function flatRates(input: number, output: number): Rates {
  return {
    input,
    output,
    cachedInput: input,
    cacheWrite: input,
    cacheWrite1h: input,
    inputAudio: input,
    cachedInputAudio: input,
    outputAudio: output,
    outputImage: output,
    reasoning: output,
    request: 0,
  }
}

/** Of a rate that a proportion makes: what is beyond is a float's noise. */
const RATE_STEPS = 1e9

/** What stands to `own` as `rate` stands to `base`; `own` itself where `base` is free. */
function inProportion(rate: number, base: number, own: number): number {
  if (own === base) return rate
  return base > 0 ? Math.round(rate * (own / base) * RATE_STEPS) / RATE_STEPS : own
}

/** What the tokens cost: USD as a plain decimal of up to 12 places, without an exponent or trailing zeros. */
export function costOf(usage: TokenUsage, price: Price): string {
  return decimalOf(String(sumOf(usage, price)))
}

/** {@link costOf} in picodollars. */
export function picodollarsOf(usage: TokenUsage, price: Price): bigint {
  return BigInt(sumOf(usage, price))
}

/** Picodollars a token in USD a million tokens. */
const PICODOLLARS = 1e6
/** As many digits as a record holds. */
const MOST_PICODOLLARS = 10n ** 31n

/**
 * What the tokens cost, exactly, and rounded once where a rate has more than six decimals. Tokens that are more than what
 * they are part of count as all of it. Nobody says how much of cached input was audio: text counts as cached before audio.
 */
function sumOf(usage: TokenUsage, price: Price): number | bigint {
  const rates = ratesFor(price, usage.inputTokens)
  const counts = countsOf(usage)
  return wholeSum(counts, rates) ?? exactSum(counts, rates)
}

/** How many are paid for at each rate. */
type Counts = Rates

function countsOf(usage: TokenUsage): Counts {
  const { inputTokens, outputTokens } = usage
  const audio = Math.min(usage.inputAudioTokens, inputTokens)
  const text = inputTokens - audio
  const cached = Math.min(usage.cachedInputTokens, inputTokens)
  const cachedText = Math.min(cached, text)
  const cacheWrite = Math.min(usage.cacheWriteTokens, text - cachedText)
  const cacheWrite1h = Math.min(usage.cacheWrite1hTokens ?? 0, cacheWrite)
  const outputAudio = Math.min(usage.outputAudioTokens, outputTokens)
  const outputImage = Math.min(usage.outputImageTokens ?? 0, outputTokens - outputAudio)
  const outputText = outputTokens - outputAudio - outputImage
  const reasoning = Math.min(usage.reasoningTokens, outputText)
  return {
    input: text - cachedText - cacheWrite,
    output: outputText - reasoning,
    cachedInput: cachedText,
    cacheWrite: cacheWrite - cacheWrite1h,
    cacheWrite1h,
    inputAudio: audio - (cached - cachedText),
    cachedInputAudio: cached - cachedText,
    outputAudio,
    outputImage,
    reasoning,
    request: 1,
  }
}

/** In whole numbers, which floats hold exactly up to 2^53; null where a rate or the sum is none of these. */
function wholeSum(counts: Counts, rates: Rates): number | null {
  const sum =
    whole(counts.input, rates.input) +
    whole(counts.output, rates.output) +
    whole(counts.cachedInput, rates.cachedInput) +
    whole(counts.cacheWrite, rates.cacheWrite) +
    whole(counts.cacheWrite1h, rates.cacheWrite1h) +
    whole(counts.inputAudio, rates.inputAudio) +
    whole(counts.cachedInputAudio, rates.cachedInputAudio) +
    whole(counts.outputAudio, rates.outputAudio) +
    whole(counts.outputImage, rates.outputImage) +
    whole(counts.reasoning, rates.reasoning) +
    whole(counts.request, rates.request)
  return sum <= Number.MAX_SAFE_INTEGER ? sum : null
}

/** NaN if the rate isn't a whole number of picodollars. */
function whole(count: number, rate: number): number {
  if (count === 0) return 0
  const picodollars = Math.round(rate * PICODOLLARS)
  return picodollars / PICODOLLARS === rate ? count * picodollars : Number.NaN
}

/** Decimals of a rate, at most. */
const RATE_DECIMALS = 12
/** Of such a rate, in a picodollar. */
const PARTS = 1_000_000n
/** From where on a float has no decimals that a rate could mean. */
const LARGEST_WITH_DECIMALS = 1e9

const NAMES = Object.keys(flatRates(0, 0)) as readonly (keyof Rates)[]

function exactSum(counts: Counts, rates: Rates): bigint {
  let sum = 0n
  for (const name of NAMES) if (counts[name] > 0) sum += BigInt(counts[name]) * parts(rates[name])
  const rounded = (sum + PARTS / 2n) / PARTS
  return rounded < MOST_PICODOLLARS ? rounded : MOST_PICODOLLARS
}

function parts(rate: number): bigint {
  return rate < LARGEST_WITH_DECIMALS
    ? BigInt(rate.toFixed(RATE_DECIMALS).replace('.', ''))
    : BigInt(Math.round(rate)) * 10n ** BigInt(RATE_DECIMALS)
}

/** What a million tokens of such a request cost on average, in USD: what LOWEST_COST compares. */
export function blendedPrice(price: Price, inputTokens: number, outputTokens: number): number {
  const { input, output, request } = ratesFor(price, inputTokens)
  const tokens = inputTokens + outputTokens
  return tokens === 0 ? (input + output) / 2 : (inputTokens * input + outputTokens * output + request) / tokens
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
