/** OpenAI's own description of its API, as a judge of what OpenAI's clients are told. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

const FILE = new URL('../../../shared/spec/openai-openapi.yaml', import.meta.url)

/** Why nothing can be judged; false: it can. For `skip` of tests. */
export const openApiMissing: string | false = existsSync(FILE)
  ? false
  : "OpenAI's description is not beside this checkout (../shared/spec/openai-openapi.yaml)"

type Json = Readonly<Record<string, any>>

const POINTER = '#/components/schemas/'
const ID = 'openai:'

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false, logger: false })
/** Which schemas the validator has. */
const added = new Set<string>()
let schemas: Json | null = null
/** The schema of each event of a streamed response, by its type. */
let events: ReadonlyMap<string, string> | null = null

/**
 * Asserts that a value is what the description calls so: `CreateChatCompletionResponse`.
 * @param what it is, for the failure's message
 */
export function assertDescribed(name: string, value: unknown, what = name): void {
  const validate = validatorOf(name)
  if (validate(value)) return
  const told = JSON.stringify(value)
  assert.fail(`${what} is no ${name}: ${ajv.errorsText(validate.errors)}\n${told.slice(0, 2_000)}`)
}

/** Asserts that it is an event of a streamed response, of the type that it names. */
export function assertResponseEvent(event: Json): void {
  const name = eventNames().get(event['type'])
  assert.ok(name !== undefined, `no event of a streamed response is called ${event['type']}`)
  assertDescribed(name, event, event['type'])
}

function validatorOf(name: string): ValidateFunction {
  addWithReferences(name)
  return ajv.getSchema(ID + name)!
}

function description(): Json {
  schemas ??= (parse(readFileSync(FILE, 'utf8')) as Json)['components'].schemas as Json
  return schemas
}

function eventNames(): ReadonlyMap<string, string> {
  events ??= new Map(
    (description()['ResponseStreamEvent'].anyOf as { $ref: string }[]).map(({ $ref }) => {
      const name = $ref.slice(POINTER.length)
      return [description()[name].properties.type.enum[0], name]
    }),
  )
  return events
}

/** The whole file is large: only what a schema needs is given to the validator. */
function addWithReferences(first: string): void {
  const waiting = [first]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (added.has(name)) continue
    added.add(name)
    assert.ok(description()[name], `the description has ${name}`)
    ajv.addSchema({ ...adapted(description()[name], waiting), $id: ID + name })
  }
}

/** As JSON Schema 2020-12 has it: `nullable` is OpenAPI 3.0's word, which the description still uses. */
function adapted(schema: any, references: string[]): any {
  if (Array.isArray(schema)) return schema.map((one) => adapted(one, references))
  if (typeof schema !== 'object' || schema === null) return schema
  const { nullable, discriminator: _, example: __, ...rest } = schema as Json
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(rest)) {
    if (name === '$ref' && typeof value === 'string' && value.startsWith(POINTER)) {
      const to = value.slice(POINTER.length)
      references.push(to)
      result[name] = ID + to
    } else if (name === '$recursiveRef') result['$ref'] = '#'
    else if (name !== '$recursiveAnchor') result[name] = adapted(value, references)
  }
  return nullable === true ? { anyOf: [result, { type: 'null' }] } : result
}
