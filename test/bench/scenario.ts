import type { Figures } from './measurement.ts'
import type { ScenarioName } from './options.ts'
import type { Bench, Target } from './targets.ts'

/** What is measured. */
export interface Scenario {
  readonly name: ScenarioName
  /** Whether it is about the gateway alone: nothing else can do what it measures. */
  readonly gatewayOnly: boolean
  /** Rounds at most, where one takes long. */
  readonly mostRounds: number
  /** Runs what is measured, or the like of it, to no other end. */
  warmUp(target: Target, bench: Bench, seconds: number): Promise<unknown>
  /** @throws Error if any answer is not what it must be */
  measure(target: Target, bench: Bench, seconds: number): Promise<Figures>
}
