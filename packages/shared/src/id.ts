import { randomUUIDv7 } from 'node:crypto'

/**
 * A new identifier: a UUID version 7 (RFC 9562), so that ids sort by the time they were made.
 * Unique without coordination, which is what lets a proxy name a record before control has seen it.
 */
export function newId(): string {
  return randomUUIDv7()
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether a value that a client sent can be an identifier at all; PostgreSQL refuses others with an error. */
export function isId(value: string): boolean {
  return UUID.test(value)
}
