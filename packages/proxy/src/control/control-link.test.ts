import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { it } from 'node:test'

import type { Client } from 'graphql-ws'

import { ControlLink } from './control-link.ts'

it('hears nothing of a connection that another has followed', () => {
  const link = new ControlLink()
  const [first, second] = [new EventEmitter(), new EventEmitter()]
  link.follow(first as unknown as Client)
  first.emit('connected')
  assert.equal(link.current.state, 'connected')
  first.emit('closed')
  assert.equal(link.current.state, 'away')
  link.follow(second as unknown as Client)
  second.emit('connected')
  const { current } = link
  first.emit('closed')
  second.emit('connected')
  assert.equal(link.current, current)
})
