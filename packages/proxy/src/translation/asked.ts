import type { CanonicalRequest } from '../canonical/request.ts'
import type { Encoding } from '../canonical/wire.ts'
import type { Call } from '../endpoints/endpoint.ts'
import type { Asking } from './translation.ts'

const NONE: readonly string[] = []

/** What is the same of a request whoever is asked. */
export interface Asker {
  readonly id: string
  readonly requestId: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** A call as one provider is asked it. */
export class Asked implements Asking {
  readonly call: Call
  readonly model: string
  request: CanonicalRequest | null = null
  encoding: Encoding | null = null
  dropped = NONE
  estimated = false
  private readonly asker: Asker

  constructor(call: Call, model: string, asker: Asker) {
    this.call = call
    this.model = model
    this.asker = asker
  }

  get id(): string {
    return this.asker.id
  }

  get requestId(): string {
    return this.asker.requestId
  }

  get created(): number {
    return Math.floor(this.asker.startedAt / 1000)
  }

  /** Lets go of what is large: another attempt at the same may go on for long. */
  forget(): void {
    this.request = null
  }
}
