/** Calls whose arguments come in pieces, each with its place among them: Vertex AI sends some so (its reference, "PartialArg"). */
import { isObject, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'

/** A member's name, an index, or a name in quotes. */
const STEPS = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/g
const MOST_STEPS = 100
/** No list has so many members. */
const LARGEST_INDEX = 100_000

type Key = string | number
type Container = Record<Key, unknown>

export class PartialCall {
  /** The part with which it began; null: none goes on. */
  private begun: JsonObject | null = null
  private args: Container = emptyObject()

  /** @returns the parts that are whole now: this one, if it is no piece of a call */
  take(part: JsonObject): readonly JsonObject[] {
    const call = part['functionCall']
    if (!isObject(call)) return [part]
    const goesOn = call['willContinue'] === true
    const isPiece = goesOn || Array.isArray(call['partialArgs'])
    const before = this.begun !== null && textOf(call['name']) !== '' ? this.end() : []
    if (this.begun === null) {
      if (!isPiece) return [...before, part]
      this.begun = part
      Object.assign(this.args, objectOf(call['args']))
    }
    for (const piece of listOf(call['partialArgs'])) if (isObject(piece)) this.set(piece)
    return goesOn ? before : [...before, ...this.end()]
  }

  /** @returns the call that went on, now with its arguments; none, if none did */
  end(): readonly JsonObject[] {
    const { begun, args } = this
    if (begun === null) return []
    this.begun = null
    this.args = emptyObject()
    const { partialArgs: _, willContinue: __, ...call } = objectOf(begun['functionCall'])
    return [{ ...begun, functionCall: { ...call, args } }]
  }

  private set(piece: JsonObject): void {
    const path = pathOf(textOf(piece['jsonPath']))
    const last = path?.pop()
    if (path === null || last === undefined) return
    let at = this.args
    for (const [i, key] of path.entries()) {
      if (!fits(at, key)) return
      const next = at[key]
      if (typeof next !== 'object' || next === null) {
        at[key] = typeof (path[i + 1] ?? last) === 'number' ? [] : emptyObject()
      }
      at = at[key] as Container
    }
    if (!fits(at, last)) return
    const value = valueOf(piece)
    const before = at[last]
    at[last] = typeof value === 'string' && typeof before === 'string' ? before + value : value
  }
}

/** A list has no names of its own: those that it has are not to be touched. */
function fits(container: Container, key: Key): boolean {
  return typeof key === 'number' || !Array.isArray(container)
}

/** Null: it is no path that is understood. */
function pathOf(text: string): Key[] | null {
  if (!text.startsWith('$')) return null
  const path: Key[] = []
  let end = 1
  for (const step of text.matchAll(STEPS)) {
    if (step.index !== end || path.length === MOST_STEPS) return null
    end += step[0].length
    const [, name, index, quoted, doubled] = step
    if (index !== undefined && Number(index) > LARGEST_INDEX) return null
    path.push(index === undefined ? (name ?? (quoted ?? doubled)!.replaceAll(/\\(.)/g, '$1')) : Number(index))
  }
  return end === text.length ? path : null
}

function valueOf({ stringValue, numberValue, boolValue }: JsonObject): unknown {
  return stringValue ?? numberValue ?? boolValue ?? null
}

/** Any name may be a member's. */
function emptyObject(): Container {
  return Object.create(null) as Container
}
