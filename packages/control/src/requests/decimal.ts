/** Compares two decimals of 0 or more, digit by digit: as numbers they would lose some. As `sort` wants it. */
export function compareDecimals(a: string, b: string): number {
  const [whole, fraction = ''] = a.split('.')
  const [otherWhole, otherFraction = ''] = b.split('.')
  const digits = Math.max(whole!.length, otherWhole!.length)
  const decimals = Math.max(fraction.length, otherFraction.length)
  const one = whole!.padStart(digits, '0') + fraction.padEnd(decimals, '0')
  const other = otherWhole!.padStart(digits, '0') + otherFraction.padEnd(decimals, '0')
  if (one === other) return 0
  return one < other ? -1 : 1
}
