/** The schema's own scalars. */
import { GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import { GraphQLDateTime, GraphQLJSON } from 'graphql-scalars'

/** RFC 3339 in, milliseconds and UTC out. The years that PostgreSQL and JavaScript agree on. */
export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'RFC 3339, UTC, milliseconds',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => (value instanceof Date ? value : new Date(String(value))).toISOString(),
  parseValue: (value) => inRange(GraphQLDateTime.parseValue(value)),
  parseLiteral: (node, variables) => inRange(GraphQLDateTime.parseLiteral(node, variables)),
})

function inRange(date: Date): Date {
  const year = date.getUTCFullYear()
  if (year >= 1 && year <= 9999) return date
  throw new RangeError('DateTime must lie in the years 0001 to 9999')
}

/** A sign, whole digits and decimals: few enough of them for PostgreSQL's `numeric`. */
const DECIMAL = /^(-?)0*(\d{1,40})(?:\.(\d{1,40}))?$/

/** In its one spelling: without what says nothing, a zero before or after it. Numbers are taken too; texts lose no digit. */
export const Decimal = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  description: 'a decimal string; money is in USD',
  serialize: readDecimal,
  parseValue: readDecimal,
  parseLiteral: (node) => readDecimal(literalText(node)),
})

function literalText(node: ValueNode): string | null {
  return node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT ? node.value : null
}

function readDecimal(value: unknown): string {
  const [, sign, whole, fraction = ''] =
    (typeof value === 'string' || typeof value === 'number' ? DECIMAL.exec(String(value)) : null) ?? []
  if (whole === undefined) throw new TypeError('Decimal must be a decimal string')
  const decimals = fraction.replace(/0+$/, '')
  const digits = decimals === '' ? whole : `${whole}.${decimals}`
  return digits === '0' ? digits : `${sign}${digits}`
}

/** As far as every JSON reader tells whole numbers apart. */
export const BigIntNumber = new GraphQLScalarType<number, number>({
  name: 'BigInt',
  description: 'a JSON number, whole, up to 2^53',
  serialize: readWhole,
  parseValue: readWhole,
  parseLiteral: (node) => readWhole(node.kind === Kind.INT ? Number(node.value) : null),
})

function readWhole(value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number
  throw new TypeError('BigInt must be a whole number up to 2^53')
}

export { GraphQLJSON as JSONValue }
