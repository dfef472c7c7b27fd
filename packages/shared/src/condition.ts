/**
 * The language in which routes say which requests they take: JSON as MongoDB's queries are, made ready once and then asked
 * of every request. No regular expressions and no code: nothing in it can be made to run for ever, or to throw.
 *
 *     {"stream": true, "metadata.plan": {"$in": ["pro", "team"]}}
 *     {"$or": [{"headers.x-tier": "gold"}, {"$not": {"max_tokens": {"$gt": 1000}}}]}
 *     {"user": {"$percent": [0, 10]}}
 *
 * A value that the request doesn't have equals null, is not compared, matched or split by, and so fails what isn't a
 * negation. Lists and objects in metadata are there (`$exists`), and equal nothing.
 */
import { ConditionError } from './condition-error.ts'
import { conditionField, type ConditionField } from './condition-fields.ts'
import { valueTest } from './condition-operators.ts'
import { isObject } from './routing/body-values.ts'
import type { Predicate } from './routing/facts.ts'

export { ConditionError } from './condition-error.ts'

const MOST_OPERATORS = 100
const MOST_LEVELS = 10

type Path = readonly (string | number)[]
/** Operators that the condition has so far. */
interface Tally {
  operators: number
}

/**
 * Makes a route's condition ready.
 * @param value JSON
 * @throws ConditionError naming the first place that is wrong
 */
export function compileCondition(value: unknown): Predicate {
  return compileObject(value, [], 1, { operators: 0 })
}

/**
 * What a condition reads of a request, by the names that operators write; those of headers in lower case.
 * @param value JSON
 * @throws ConditionError naming the first place that is wrong
 */
export function conditionFields(value: unknown): ReadonlySet<string> {
  compileCondition(value)
  const fields = new Set<string>()
  addFields(value as object, fields)
  return fields
}

/** @param condition one that can be compiled */
function addFields(condition: object, fields: Set<string>): void {
  for (const [name, member] of Object.entries(condition) as [string, object][]) {
    if (name === '$and' || name === '$or') for (const one of member as object[]) addFields(one, fields)
    else if (name === '$not') addFields(member, fields)
    else fields.add(name.startsWith('headers.') ? name.toLowerCase() : name)
  }
}

function compileObject(value: unknown, path: Path, level: number, tally: Tally): Predicate {
  if (level > MOST_LEVELS) throw new ConditionError(path, `is nested deeper than ${MOST_LEVELS} levels; flatten it`)
  if (!isObject(value)) throw new ConditionError(path, 'must be an object, as in {"stream": true}')
  const tests: Predicate[] = []
  for (const [name, member] of Object.entries(value)) {
    const at = [...path, name]
    if (name === '$and') tests.push(all(compileList(member, at, level, tally)))
    else if (name === '$or') tests.push(any(compileList(member, at, level, tally)))
    else if (name === '$not') tests.push(compileNot(member, at, level, tally))
    else tests.push(compileField(conditionField(name, at), member, at, tally))
  }
  return all(tests)
}

function compileList(value: unknown, path: Path, level: number, tally: Tally): Predicate[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new ConditionError(path, 'must be a list of at least one condition')
  if (value.length > MOST_OPERATORS) throw new ConditionError(path, `must have at most ${MOST_OPERATORS} conditions`)
  count(path, tally)
  return value.map((member, i) => compileObject(member, [...path, i], level + 1, tally))
}

function compileNot(value: unknown, path: Path, level: number, tally: Tally): Predicate {
  count(path, tally)
  const test = compileObject(value, path, level + 1, tally)
  return (facts) => !test(facts)
}

function compileField({ type, read }: ConditionField, value: unknown, path: Path, tally: Tally): Predicate {
  if (Array.isArray(value))
    throw new ConditionError(path, 'must be a value or operators; for one of several, {"$in": […]}')
  const operators = isObject(value) ? Object.entries(value) : []
  if (isObject(value) && operators.length === 0)
    throw new ConditionError(path, 'needs an operator, as in {"$exists": true}')
  if (!isObject(value)) operators.push(['$eq', value])
  const tests = operators.map(([name, operand]) => {
    const at = isObject(value) ? [...path, name] : path
    count(at, tally)
    return valueTest(name, operand, type, at)
  })
  if (tests.length === 1) {
    const only = tests[0]!
    return (facts) => only(read(facts))
  }
  return (facts) => {
    const found = read(facts)
    for (const test of tests) if (!test(found)) return false
    return true
  }
}

function count(path: Path, tally: Tally): void {
  if (++tally.operators > MOST_OPERATORS) {
    throw new ConditionError(path, `is one operator too many: a condition has at most ${MOST_OPERATORS}`)
  }
}

function all(tests: readonly Predicate[]): Predicate {
  if (tests.length === 1) return tests[0]!
  return (facts) => {
    for (const test of tests) if (!test(facts)) return false
    return true
  }
}

function any(tests: readonly Predicate[]): Predicate {
  if (tests.length === 1) return tests[0]!
  return (facts) => {
    for (const test of tests) if (test(facts)) return true
    return false
  }
}
