/** What conditions may ask of a field's value. */
import { hash } from 'node:crypto'

import { ConditionError } from './condition-error.ts'
import type { FieldType } from './condition-fields.ts'
import { matchesGlob } from './glob.ts'

/** Whether a value satisfies an operator; null: the request has no such value. */
export type ValueTest = (value: unknown) => boolean

type Path = readonly (string | number)[]
type Operator = (operand: unknown, type: FieldType, path: Path) => ValueTest

const LONGEST_LIST = 1_000
const LONGEST_PATTERN = 256
/** Longer ones match no pattern: a client must not make the proxy spend its time on them. */
const LONGEST_GLOB_TEXT = 8_192

const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['$eq', equal],
  ['$ne', (operand, type, path) => not(equal(operand, type, path))],
  ['$in', isIn],
  ['$nin', (operand, type, path) => not(isIn(operand, type, path))],
  ['$gt', compared((value, bound) => value > bound)],
  ['$gte', compared((value, bound) => value >= bound)],
  ['$lt', compared((value, bound) => value < bound)],
  ['$lte', compared((value, bound) => value <= bound)],
  ['$exists', exists],
  ['$glob', glob],
  ['$percent', percent],
])

/** @throws ConditionError for a name that no operator has, one that the field can't be asked with, and an unfit operand */
export function valueTest(name: string, operand: unknown, type: FieldType, path: Path): ValueTest {
  const operator = OPERATORS.get(name)
  if (operator) return operator(operand, type, path)
  const hint = name === '$not' ? '; $not goes around a field: {"$not": {"model": …}}' : ''
  throw new ConditionError(path, `is no operator; use ${[...OPERATORS.keys()].join(', ')}${hint}`)
}

function not(test: ValueTest): ValueTest {
  return (value) => !test(value)
}

function equal(operand: unknown, type: FieldType, path: Path): ValueTest {
  const expected = scalar(operand, type, path)
  return (value) => value === expected
}

function isIn(operand: unknown, type: FieldType, path: Path): ValueTest {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length > LONGEST_LIST) {
    throw new ConditionError(path, `must be a list of 1 to ${LONGEST_LIST} values`)
  }
  const expected = new Set(operand.map((value, i) => scalar(value, type, [...path, i])))
  return (value) => expected.has(value as string | number | boolean | null)
}

function compared(holds: (value: number, bound: number) => boolean): Operator {
  return (operand, type, path) => {
    if (type !== 'number' && type !== 'any')
      throw new ConditionError(path, `compares numbers, and the field is a ${type}`)
    if (!isNumber(operand)) throw new ConditionError(path, 'must be a number')
    return (value) => typeof value === 'number' && holds(value, operand)
  }
}

function exists(operand: unknown, _type: FieldType, path: Path): ValueTest {
  if (typeof operand !== 'boolean') throw new ConditionError(path, 'must be true or false')
  return (value) => (value !== null) === operand
}

function glob(operand: unknown, type: FieldType, path: Path): ValueTest {
  if (type !== 'text' && type !== 'any') throw new ConditionError(path, `matches texts, and the field is a ${type}`)
  if (typeof operand !== 'string' || operand.length > LONGEST_PATTERN) {
    throw new ConditionError(
      path,
      `must be a text of at most ${LONGEST_PATTERN} characters, in which * stands for any number of them`,
    )
  }
  return (value) => typeof value === 'string' && value.length <= LONGEST_GLOB_TEXT && matchesGlob(operand, value)
}

const PERCENT_FORM = 'must be [from, to] or {"from": …, "to": …, "salt": "…"} with 0 <= from < to <= 100'

/** A stable split: a text has the same percentage in every proxy, at every time; another salt shuffles them anew. */
function percent(operand: unknown, type: FieldType, path: Path): ValueTest {
  if (type !== 'text' && type !== 'any') throw new ConditionError(path, `splits by texts, and the field is a ${type}`)
  const { from, to, salt } = percentRange(operand, path)
  const prefix = salt === '' ? '' : `${salt}:`
  return (value) => {
    if (typeof value !== 'string' && typeof value !== 'number') return false
    const at = percentageOf(`${prefix}${value}`)
    return at >= from && at < to
  }
}

function percentRange(operand: unknown, path: Path): { from: number; to: number; salt: string } {
  const object = Array.isArray(operand) ? { from: operand[0], to: operand[1], more: operand[2] } : operand
  if (typeof object !== 'object' || object === null) throw new ConditionError(path, PERCENT_FORM)
  const { from, to, salt = '', ...more } = object as Readonly<Record<string, unknown>>
  if (
    !isNumber(from) ||
    !isNumber(to) ||
    typeof salt !== 'string' ||
    Object.values(more).some((value) => value !== undefined) ||
    !(0 <= from && from < to && to <= 100)
  ) {
    throw new ConditionError(path, PERCENT_FORM)
  }
  return { from, to, salt }
}

/** In [0, 100), from the first 48 bits of the text's SHA-256. */
function percentageOf(text: string): number {
  return (Number.parseInt(hash('sha256', text).slice(0, 12), 16) / 2 ** 48) * 100
}

function scalar(operand: unknown, type: FieldType, path: Path): string | number | boolean | null {
  if (operand === null) return null
  const fits =
    type === 'any'
      ? typeof operand === 'string' || typeof operand === 'boolean' || isNumber(operand)
      : typeof operand === (type === 'text' ? 'string' : type) && (type !== 'number' || isNumber(operand))
  if (!fits)
    throw new ConditionError(path, `must be ${type === 'any' ? 'a text, a number, a boolean' : `a ${type}`} or null`)
  return operand as string | number | boolean
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
