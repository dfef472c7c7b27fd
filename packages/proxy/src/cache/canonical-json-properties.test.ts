/** What holds for any JSON text, tried with random ones. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { canonicalJson } from './canonical-json.ts'

const NONE: ReadonlySet<string> = new Set()
const UNKEYED: ReadonlySet<string> = new Set(['user', 'metadata', 'stream', 'stream_options'])

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
const canonical = (text: string, omit = NONE): string => canonicalJson('', latin1(text), omit).toString('utf8')

/** A JSON text as a tree, in which all stands as it is spelt. */
type Tree = string | readonly Tree[] | Members
interface Members {
  readonly members: readonly (readonly [name: string, value: Tree])[]
}

const isMembers = (tree: Tree): tree is Members => typeof tree === 'object' && 'members' in tree
const smallName = (literal: string): string =>
  (JSON.parse(literal) as string)
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/\u212a/g, 'k')
    .replace(/\u017f/g, 's')
const hex = (text: string): string => Buffer.from(text.toWellFormed()).toString('hex')

/** What {@link canonicalJson} promises, in the plainest words: two texts are one if this is the same for both. */
function meaning(tree: Tree, omit = NONE): unknown {
  if (typeof tree === 'string') return tree
  if (!isMembers(tree)) return tree.map((element) => meaning(element))
  return {
    object: tree.members
      .filter(([name]) => !omit.has(JSON.parse(name) as string))
      .map(([name, value]) => [hex(smallName(name)), name, meaning(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  }
}
const same = (a: Tree, b: Tree, omit = NONE): boolean =>
  JSON.stringify(meaning(a, omit)) === JSON.stringify(meaning(b, omit))

/**
 * What a parser makes of a text: of members of one name, the last counts. Not by JSON.parse, which gets names with escapes
 * wrong after names with backslashes (nodejs/node#63785).
 */
function parsed(tree: Tree): unknown {
  if (typeof tree === 'string') return JSON.parse(tree) as unknown
  if (!isMembers(tree)) return tree.map(parsed)
  return new Map(tree.members.map(([name, member]) => [JSON.parse(name) as string, parsed(member)]))
}

/** Reads a JSON text, with nothing but recursion. */
function treeOf(text: string): Tree {
  let at = 0
  const space = (): void => {
    while (' \n\r\t'.includes(text[at] ?? 'x')) at++
  }
  const scalar = (): string => {
    const [found] = /^("(?:[^"\\]|\\.)*"|[^\s,\]}]+)/.exec(text.slice(at))!
    at += found.length
    return found
  }
  const list = <T>(end: string, element: () => T): T[] => {
    const found: T[] = []
    at++
    for (space(); text[at] !== end; space()) {
      if (text[at] === ',') at++
      space()
      found.push(element())
    }
    at++
    return found
  }
  const member = (): readonly [string, Tree] => {
    const name = scalar()
    space()
    at++
    return [name, any()]
  }
  const any = (): Tree => {
    space()
    if (text[at] === '[') return list(']', any)
    return text[at] === '{' ? { members: list('}', member) } : scalar()
  }
  return any()
}

/** Writes a tree, with white space and in an order as the choices say. */
function print(tree: Tree, choose: (below: number) => number): string {
  const space = (): string => ['', '', '', ' ', '\n', '\t\r\n  '][choose(6)]!
  if (typeof tree === 'string') return space() + tree + space()
  if (!isMembers(tree)) return `${space()}[${tree.map((one) => print(one, choose)).join(',') || space()}]${space()}`
  const left = tree.members.map((member) => member)
  const written: string[] = []
  while (left.length > 0) {
    // The first of its name: those of one name stay in their order.
    const name = smallName(left[choose(left.length)]![0])
    const first = left.findIndex(([other]) => hex(smallName(other)) === hex(name))
    const [[literal, value]] = left.splice(first, 1) as [readonly [string, Tree]]
    written.push(`${space()}${literal}${space()}:${print(value, choose)}`)
  }
  return `${space()}{${written.join(',') || space()}}${space()}`
}

/** Members in any order, those of one name too. */
function shuffled(tree: Tree, choose: (below: number) => number): Tree {
  if (typeof tree === 'string') return tree
  if (!isMembers(tree)) return tree.map((one) => shuffled(one, choose))
  const left = tree.members.map(([name, value]) => [name, shuffled(value, choose)] as const)
  return { members: tree.members.map(() => left.splice(choose(left.length), 1)[0]!) }
}

/** Few names and values, so that what is made of them is often nearly the same. */
const names = fc.oneof(
  fc.constantFrom('"a"', '"b"', '"ab"', '"A"', '""', '"user"', '"us\\u0065r"', '"\\u0061"', '"a b"', '"a!"', '"\\""'),
  fc.constantFrom('"k"', '"\u212a"', '"\\u212a"', '"\u017f"', '"S"', '"É"', '"\\u00c9"', '"ß"', '"ss"'),
  fc.constantFrom('"é"', '"e\u0301"', '"\\u00e9"', '"日"', '"\\\\"', '"a\\\\\\""', '"😀"', '"\\ud83d"', '"\\ud83e"'),
  fc.string({ unit: 'binary', maxLength: 4 }).map((name) => JSON.stringify(name.toWellFormed())),
)
const scalars = fc.oneof(
  fc.constantFrom('1', '1.0', '1e0', '-0', '0', '9007199254740993', '9007199254740992', 'true', 'false', 'null'),
  fc.constantFrom(
    '"1"',
    '""',
    '"\\""',
    '"\\\\"',
    '"}"',
    '",\\"a\\":1"',
    '" "',
    '"é"',
    '"\\u00e9"',
    '"e\u0301"',
    '"[{"',
  ),
  fc.json({ maxDepth: 0 }),
)
const { tree: trees } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalars,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie('tree')), { maxLength: 5 }).map((members) => ({ members })),
    fc.array(fc.tuple(names, scalars), { maxLength: 40 }).map((members) => ({ members })),
  ),
}))
const objects = fc.array(fc.tuple(names, trees), { maxLength: 6 }).map((members): Members => ({ members }))
const choices = fc.infiniteStream(fc.nat()).map(
  (stream) =>
    (below: number): number =>
      (stream.next().value as number) % below,
)

describe('canonicalJson, of any text', () => {
  it('is the same whatever the order of members and the white space between them', () => {
    fc.assert(
      fc.property(objects, choices, choices, (tree, one, other) => {
        assert.equal(canonical(print(tree, one), UNKEYED), canonical(print(tree, other), UNKEYED))
      }),
      { numRuns: 1_000 },
    )
  })

  it('is a JSON text that means the same as its source', () => {
    fc.assert(
      fc.property(objects, choices, (tree, choose) => {
        const text = print(tree, choose)
        const whole = canonical(text)
        assert.doesNotThrow(() => JSON.parse(whole) as unknown)
        assert.deepEqual(parsed(treeOf(whole)), parsed(tree))
        assert.equal(canonical(whole), whole)
        const left = parsed(tree) as Map<string, unknown>
        for (const name of UNKEYED) left.delete(name)
        assert.deepEqual(parsed(treeOf(canonical(text, UNKEYED))), left)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is the same for two texts only if they are the same but for order and white space', () => {
    fc.assert(
      fc.property(objects, objects, choices, (one, other, choose) => {
        const [a, b] = [print(one, choose), print(other, choose)]
        assert.equal(canonical(a, UNKEYED) === canonical(b, UNKEYED), same(one, other, UNKEYED))
      }),
      { numRuns: 1_000 },
    )
  })

  it('is another if members that may be taken for one another change places', () => {
    fc.assert(
      fc.property(objects, choices, (tree, choose) => {
        const moved = shuffled(tree, choose)
        const [a, b] = [print(tree, choose), print(moved, choose)]
        assert.equal(canonical(a, UNKEYED) === canonical(b, UNKEYED), same(tree, moved, UNKEYED))
      }),
      { numRuns: 1_000 },
    )
  })

  it('tells a text from what becomes of it by a character more, less or other', () => {
    let valid = 0
    const characters = fc.constantFrom(...'{}[]",:\\ 10.-eau\u0301é'.split(''))
    fc.assert(
      fc.property(
        objects,
        choices,
        fc.array(fc.tuple(fc.nat(), fc.nat(2), characters), { minLength: 1, maxLength: 3 }),
        (tree, choose, edits) => {
          const text = print(tree, choose)
          let edited = text
          for (const [at, kind, character] of edits) {
            const start = at % (edited.length + 1)
            edited = edited.slice(0, start) + (kind === 0 ? '' : character) + edited.slice(start + (kind === 2 ? 0 : 1))
          }
          edited = edited.toWellFormed()
          if (!isObjectText(edited)) return
          valid++
          assert.equal(canonical(text, UNKEYED) === canonical(edited, UNKEYED), same(tree, treeOf(edited), UNKEYED))
        },
      ),
      { numRuns: 3_000 },
    )
    assert.ok(valid > 300, `${valid} of them were JSON`)
  })
})

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
