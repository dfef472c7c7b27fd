/** A provider without a network: answers like OpenAI's, and fails on purpose. Demo, tests and benchmarks stand on it. */
import { NEEDS_CREDENTIAL, PROVIDER_SETTINGS } from '@millrace/shared'

import { Targets, type Provider } from './provider.ts'
import { SimulatedUpstream } from './simulation/upstream.ts'

export const simulated: Provider = {
  needsCredential: NEEDS_CREDENTIAL.SIMULATED,
  authorize: () => [],
  connect: (provider) => ({
    upstream: new SimulatedUpstream(PROVIDER_SETTINGS.SIMULATED.parse(provider.settings)),
    pooled: null,
    targets: new Targets('simulated:', ''),
    passthrough: null,
  }),
}
