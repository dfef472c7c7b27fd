/**
 * The hot path stores no function literal into an object per request. V8 allocates such a closure in old space; from
 * there it keeps what it captures alive through every scavenge, half of the nursery with it, and p99 goes from 2.5 to
 * 12 ms. A listener at module level that reads `this[kRequest]`, or a prototype's method, costs nothing.
 */
import { Visitor, type Expression, type Function, type Program } from 'oxc-parser'

import { lineOf, type Source } from './source.ts'

const HOT =
  /^packages\/proxy\/src\/(request|translation|dialects|canonical|routing|concurrency|stream|upstream|providers|endpoints|limits|access|cache|passthrough|live|debug|tracing)\/|^packages\/proxy\/src\/(records\/draft|metrics\/requests)/

const REASON =
  'a function literal stored per request is allocated in old space, and p99 goes from 2.5 to 12 ms: make it a ' +
  'function at module level or a method of a class'

export function isHot(path: string): boolean {
  return HOT.test(path) && !path.endsWith('.test.ts')
}

/** One line for each function literal that is stored into an object or a field while a function runs. */
export function storedFunctions({ path, text, program }: Source): string[] {
  const faults: string[] = []
  const once = calledWhileLoading(program)
  let depth = 0
  const enter = (node: object): void => void (once.has(node) || depth++)
  const leave = (node: object): void => void (once.has(node) || depth--)
  const fault = (start: number, what: string): void => {
    faults.push(`${path}:${lineOf(text, start)} ${what}: ${REASON}`)
  }
  new Visitor({
    FunctionDeclaration: enter,
    'FunctionDeclaration:exit': leave,
    FunctionExpression: enter,
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: enter,
    'ArrowFunctionExpression:exit': leave,
    PropertyDefinition(node) {
      if (node.static) return
      // A field's initialiser runs with each construction.
      depth++
      if (node.value && yieldsFunction(node.value)) fault(node.start, 'a field is initialised with a function')
    },
    'PropertyDefinition:exit'(node) {
      if (!node.static) depth--
    },
    AssignmentExpression(node) {
      if (depth > 0 && node.left.type === 'MemberExpression' && yieldsFunction(node.right)) {
        fault(node.start, 'a function is assigned to a property')
      }
    },
    ObjectExpression(node) {
      if (depth === 0) return
      for (const property of node.properties) {
        if (property.type === 'Property' && yieldsFunction(property.value)) {
          fault(property.start, 'an object literal holds a function')
        }
      }
    },
  }).visit(program)
  return faults
}

/** The functions that only the module's own loading calls: not exported, and not mentioned in any function. */
function calledWhileLoading(program: Program): ReadonlySet<object> {
  const found = new Map<string, Function>()
  for (const node of program.body) if (node.type === 'FunctionDeclaration') found.set(node.id!.name, node)
  let depth = 0
  const enter = (): void => void depth++
  const leave = (): void => void depth--
  new Visitor({
    FunctionDeclaration: enter,
    'FunctionDeclaration:exit': leave,
    FunctionExpression: enter,
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: enter,
    'ArrowFunctionExpression:exit': leave,
    PropertyDefinition: enter,
    'PropertyDefinition:exit': leave,
    Identifier(node) {
      if (depth > 0 && found.get(node.name)?.id !== node) found.delete(node.name)
    },
    ExportSpecifier({ local }) {
      if (local.type === 'Identifier') found.delete(local.name)
    },
  }).visit(program)
  return new Set(found.values())
}

/** Whether an expression's value may be a function that this evaluation made. */
function yieldsFunction(node: Expression): boolean {
  switch (node.type) {
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
      return true
    case 'ConditionalExpression':
      return yieldsFunction(node.consequent) || yieldsFunction(node.alternate)
    case 'LogicalExpression':
      return yieldsFunction(node.left) || yieldsFunction(node.right)
    case 'AssignmentExpression':
      return yieldsFunction(node.right)
    case 'SequenceExpression':
      return yieldsFunction(node.expressions.at(-1)!)
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
      return yieldsFunction(node.expression)
    default:
      return false
  }
}
