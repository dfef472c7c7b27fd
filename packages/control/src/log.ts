/** Control's log: a JSON object a line, on stderr. What was thrown is told without what the database was asked. */
import { pino, type Logger } from 'pino'

import { firstLine } from './db/failure.ts'

/** Data exception: behind the colon of its message stands the value. */
const DATA_EXCEPTION = /^22/
const MOST_CAUSES = 4

/** @param name of the process */
export function createLog(name: string, level: string): Logger {
  // Hazard: the driver's errors have the whole statement with its values as `query`, and a row's in their further lines.
  const serializers = { err: toldError, reason: (reason: unknown) => firstLine(String(reason)) }
  return pino({ name, level, serializers }, pino.destination(2))
}

interface ToldError {
  readonly type: string
  readonly code?: unknown
  readonly message: string
  readonly stack: string
  readonly cause?: unknown
}

/** An error as the log may hold it: what it is and where it comes from. */
export function toldError(error: unknown, depth = 0): ToldError | string {
  if (!(error instanceof Error)) return typeof error
  const { name, stack = '', cause } = error
  const { code } = error as { code?: unknown }
  const line = firstLine(error.message)
  const frames = stack.split('\n').filter((one) => one.trimStart().startsWith('at '))
  return {
    type: name,
    ...(code === undefined ? {} : { code }),
    message: DATA_EXCEPTION.test(String(code)) ? line.split(':', 1)[0]! : line,
    stack: frames.join('\n'),
    ...(cause === undefined || depth === MOST_CAUSES ? {} : { cause: toldError(cause, depth + 1) }),
  }
}
