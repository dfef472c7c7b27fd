/** The schema's own scalars. */
import { GraphQLScalarType } from 'graphql'
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

export { GraphQLJSON as JSONValue }
