/** Which traces are kept, as `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` say; the SDK does not read them. */
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace'

import type { TraceContext } from './trace-context.ts'

const BASED = 'parentbased_'

export class Sampling {
  private readonly parentBased: boolean
  private readonly roots: TraceIdRatioBasedSampler

  /**
   * @param name one of the specification's, in capitals or not
   * @param argument of a ratio: from 0 to 1
   * @throws Error that says what is wrong
   */
  constructor(name = 'parentbased_always_on', argument = '1') {
    const sampler = name.toLowerCase()
    this.parentBased = sampler.startsWith(BASED)
    const roots = this.parentBased ? sampler.slice(BASED.length) : sampler
    this.roots = new TraceIdRatioBasedSampler(ratioOf(roots, argument))
  }

  /** @param parent null: the trace begins here */
  keeps(traceId: string, parent: TraceContext | null): boolean {
    if (this.parentBased && parent !== null) return parent.sampled
    return this.roots.shouldSample(undefined, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED
  }
}

function ratioOf(roots: string, argument: string): number {
  if (roots === 'always_on') return 1
  if (roots === 'always_off') return 0
  if (roots !== 'traceidratio') throw new Error(`OTEL_TRACES_SAMPLER: ${roots.slice(0, 100)} is not known here`)
  const ratio = Number(argument)
  if (!(ratio >= 0 && ratio <= 1)) throw new Error('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1')
  return ratio
}
