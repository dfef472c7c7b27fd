/** What conditions may ask for, by the names that operators write. */
import { ConditionError } from './condition-error.ts'
import type { RequestFacts } from './routing/facts.ts'

/** `any`: whatever JSON holds. */
export type FieldType = 'text' | 'number' | 'boolean' | 'any'

export interface ConditionField {
  readonly type: FieldType
  /** Null: the request has none. */
  readonly read: (facts: RequestFacts) => unknown
}

const FIELDS: ReadonlyMap<string, ConditionField> = new Map(
  Object.entries({
    endpoint: { type: 'text', read: (facts) => facts.endpoint },
    stream: { type: 'boolean', read: (facts) => facts.stream },
    model: { type: 'text', read: (facts) => facts.model },
    token: { type: 'text', read: (facts) => facts.tokenId },
    token_name: { type: 'text', read: (facts) => facts.tokenName },
    project: { type: 'text', read: (facts) => facts.projectId },
    project_name: { type: 'text', read: (facts) => facts.projectName },
    user: { type: 'text', read: (facts) => facts.user },
    conversation: { type: 'text', read: (facts) => facts.conversation },
    max_tokens: { type: 'number', read: (facts) => facts.maxTokens() },
    tools: { type: 'boolean', read: (facts) => facts.hasTools() },
    images: { type: 'boolean', read: (facts) => facts.hasImages() },
    estimated_input_tokens: { type: 'number', read: (facts) => facts.estimatedInputTokens() },
  } satisfies Record<string, ConditionField>),
)

const METADATA = 'metadata.'
const HEADERS = 'headers.'
/** RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** @throws ConditionError for a name that no field has */
export function conditionField(name: string, path: readonly (string | number)[]): ConditionField {
  const field = FIELDS.get(name)
  if (field) return field
  if (name.startsWith(METADATA)) return metadataField(name.slice(METADATA.length).split('.'), path)
  if (name.startsWith(HEADERS)) return headerField(name.slice(HEADERS.length).toLowerCase(), path)
  throw new ConditionError(
    path,
    `is no field; use $and, $or, $not, ${[...FIELDS.keys()].join(', ')}, metadata.<path> or headers.<name>`,
  )
}

function metadataField(keys: readonly string[], path: readonly (string | number)[]): ConditionField {
  if (keys.includes(''))
    throw new ConditionError(path, 'needs a name on each side of a dot, as in metadata.customer.plan')
  return { type: 'any', read: ({ metadata }) => memberAt(metadata, keys) }
}

/** Own members only: a client's JSON decides what is there, not Object.prototype. */
function memberAt(root: unknown, keys: readonly string[]): unknown {
  let value = root
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return null
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value ?? null
}

function headerField(name: string, path: readonly (string | number)[]): ConditionField {
  if (!HEADER_NAME.test(name))
    throw new ConditionError(path, 'is no header; write headers. and its name, as in headers.x-tier')
  return { type: 'text', read: (facts) => facts.header(name) }
}
