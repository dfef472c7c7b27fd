import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { canThinkOn, turnInProgress, withoutThoughts, type BlockKinds } from './turn.ts'

const kinds: BlockKinds = {
  isThought: (block) => 'thought' in block,
  isResult: (block) => 'result' in block,
}

const user = (...content: object[]) => ({ role: 'user', content })
const model = (...content: object[]) => ({ role: 'assistant', content })
const WORDS = { text: 'x' }
const THOUGHT = { thought: 'x' }
const CALL = { call: 'x' }
const RESULT = { result: 'x' }

describe('the turn in progress', () => {
  test('begins where the user last said anything but what tools gave', () => {
    const begins = (...messages: unknown[]) => turnInProgress(messages, kinds)
    assert.equal(begins(), null)
    assert.equal(begins(user(WORDS)), null)
    assert.equal(begins(user(WORDS), model(CALL), user(WORDS)), null)
    assert.equal(begins(user(WORDS), model(CALL), user(RESULT)), 1)
    assert.equal(begins(user(WORDS), model(CALL), user(RESULT), model(CALL), user(RESULT)), 1)
    assert.equal(
      begins(user(WORDS), model(CALL), user(RESULT), model(WORDS), user(WORDS), model(CALL), user(RESULT)),
      5,
    )
    assert.equal(begins(user(WORDS), model(CALL), user(RESULT, WORDS), model(CALL), user(RESULT), user(WORDS)), 1)
    assert.equal(begins(user(WORDS), model(WORDS)), 1)
    assert.equal(begins(user(RESULT)), null)
  })

  test('is read of what makes no sense, too', () => {
    const odd = [null, 7, { role: 'assistant' }, { role: 'user', content: 'x' }, { role: 'user', content: [null, 1] }]
    assert.equal(canThinkOn(odd, kinds), true)
    assert.deepEqual(withoutThoughts(odd, kinds), odd)
    assert.equal(canThinkOn([{ role: 'assistant', content: 'x' }], kinds), false)
  })

  test('can be thought on in only if it begins with a thought', () => {
    const thought = [user(WORDS), model(THOUGHT, CALL), user(RESULT)]
    assert.equal(canThinkOn(thought, kinds), true)
    // The model needs not think again before each of its calls.
    assert.equal(canThinkOn([...thought, model(CALL), user(RESULT)], kinds), true)
    const thoughtless = [user(WORDS), model(WORDS, CALL), user(RESULT)]
    assert.equal(canThinkOn(thoughtless, kinds), false)
    assert.equal(canThinkOn([...thoughtless, model(THOUGHT, CALL), user(RESULT)], kinds), false)
    assert.equal(canThinkOn([...thoughtless, model(WORDS), user(WORDS)], kinds), true)
  })

  test('loses its thoughts, and no other turn does', () => {
    const before = [user(WORDS), model(THOUGHT, WORDS)]
    const turn = [user(WORDS), model(CALL), user(RESULT), model(THOUGHT), model(THOUGHT, CALL), user(RESULT)]
    assert.deepEqual(withoutThoughts([...before, ...turn], kinds), [
      ...before,
      user(WORDS),
      model(CALL),
      user(RESULT),
      model(CALL),
      user(RESULT),
    ])
    assert.deepEqual(withoutThoughts(before.slice(0, 1), kinds), before.slice(0, 1))
  })
})
