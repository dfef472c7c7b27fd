import { PLAIN } from './plain.ts'
import { ROUTING } from './routing.ts'
import type { Scenario } from './scenario.ts'
import { STORM } from './storm.ts'

/** In the order in which they are run. */
export const scenarios: readonly Scenario[] = [...PLAIN, ROUTING, STORM]
