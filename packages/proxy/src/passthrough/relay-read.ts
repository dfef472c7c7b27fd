import type { AttemptErrorClass } from '@millrace/shared'

import { Bytes } from '../bytes.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Relay } from '../request/relay.ts'
import { findMembers, latin1Literal, replaceAll, splice, type Range } from '../stream/json.ts'
import { PassedRelay } from './relay-passed.ts'
import { readUsage } from './usage.ts'

const READ: ReadonlySet<string> = new Set(['model', 'usage'])
const NONE: readonly Range[] = []

/** JSON that is held until it is complete, to read what it used. Of a larger one than may be held nothing is read. */
export class ReadRelay implements Relay {
  private readonly held = new Bytes()
  private readonly attempt: Attempt
  /** Once it is too large. */
  private passed: PassedRelay | null = null

  constructor(attempt: Attempt) {
    this.attempt = attempt
  }

  data(chunk: Buffer): void {
    const { attempt, held, passed } = this
    if (passed !== null) return passed.data(chunk)
    if (attempt.call.stream && attempt.firstTokenAt === null) attempt.contentSeen()
    held.append(chunk)
    if (held.length <= attempt.exchange.gateway.maxBodyBytes) return
    this.passed = new PassedRelay(attempt, null, null)
    this.passed.data(held.take())
  }

  end(): void {
    const { attempt, passed } = this
    if (passed !== null) return passed.end()
    const text = this.held.take().toString('latin1')
    const members = findMembers(text, READ)
    const said = members?.get('usage')?.at(-1)
    const usage = said === undefined ? null : readUsage(text.slice(said.start, said.end))
    attempt.claim()
    if (usage !== null) attempt.settleUsage(usage, 0)
    attempt.succeed()
    attempt.flight.sink.whole(attempt, this.renamed(text, members?.get('model') ?? NONE))
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    if (this.passed === null) this.attempt.fail(errorClass, message)
    else this.passed.broken(errorClass, message)
  }

  cancel(): void {
    this.passed?.cancel()
  }

  /** With the model's name as the client knows it. */
  private renamed(text: string, ranges: readonly Range[]): string {
    const { model } = this.attempt.call
    const named = ranges.filter(({ start }) => text[start] === '"')
    return model === '' || named.length === 0 ? text : splice(text, replaceAll(named, latin1Literal(model)))
  }
}
