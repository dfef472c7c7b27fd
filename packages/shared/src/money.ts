/**
 * Money that is added up: whole picodollars (10^-12 USD) as BigInt, never binary floats. Decimals with more than 12 places
 * are no amounts here: costs have none, and budgets are refused with more.
 */

/** Picodollars in a dollar. */
export const PICODOLLARS = 1_000_000_000_000n
/** Decimal places of a dollar that a picodollar is. */
export const MONEY_DECIMALS = 12

const DECIMAL = /^(\d{1,31})(?:\.(\d{1,12}))?$/

/**
 * @param decimal USD, 0 or more, of at most {@link MONEY_DECIMALS} places
 * @throws RangeError for anything else
 */
export function toPicodollars(decimal: string): bigint {
  const [, whole, fraction = ''] = DECIMAL.exec(decimal) ?? []
  if (whole === undefined) throw new RangeError('not an amount of money')
  return BigInt(whole) * PICODOLLARS + BigInt(fraction.padEnd(MONEY_DECIMALS, '0'))
}

/** USD as a plain decimal, without an exponent or trailing zeros. */
export function fromPicodollars(amount: bigint): string {
  return amount < 0n ? `-${decimalOf(String(-amount))}` : decimalOf(String(amount))
}

/** {@link fromPicodollars} of an amount of 0 or more that is spelt in digits. */
export function decimalOf(picodollars: string): string {
  const digits = picodollars.padStart(MONEY_DECIMALS + 1, '0')
  const point = digits.length - MONEY_DECIMALS
  let end = digits.length
  while (end > point && digits.charCodeAt(end - 1) === 0x30) end--
  return end === point ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, end)}`
}

/** A decimal of whatever places as one that is an amount here: never less than it was. */
export function roundedUp(decimal: string): string {
  const [whole, fraction = ''] = decimal.split('.')
  if (fraction.length <= MONEY_DECIMALS) return decimal
  const kept = toPicodollars(`${whole}.${fraction.slice(0, MONEY_DECIMALS)}`)
  return fromPicodollars(/[1-9]/.test(fraction.slice(MONEY_DECIMALS)) ? kept + 1n : kept)
}
