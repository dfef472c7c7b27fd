/** A provider without a network: answers like OpenAI's, and fails on purpose. Demo, tests and benchmarks stand on it. */
import { PROVIDER_SETTINGS } from '@millrace/shared'

import { chatWire } from '../dialects/chat/wire.ts'
import { Translations } from '../translation/translations.ts'
import { Targets, type Provider, type Speech } from './provider.ts'
import { SimulatedUpstream } from './simulation/upstream.ts'
import { spokenTo } from './speech.ts'

const CHAT = spokenTo(chatWire())

const NATIVE: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/completions', '/v1/embeddings'])

const SPEECH: Speech = {
  kind: 'SIMULATED',
  variesByModel: false,
  headers: [],
  nativePath: (endpoint) => (NATIVE.has(endpoint) ? endpoint.slice('/v1'.length) : null),
  editsOf: () => null,
  wireFor: (task) => (task === 'chat' ? CHAT : null),
}

export const simulated: Provider = {
  authorize: () => [],
  connect: (provider) => ({
    upstream: new SimulatedUpstream(PROVIDER_SETTINGS.SIMULATED.parse(provider.settings)),
    pooled: null,
    targets: new Targets('simulated:', ''),
    passthrough: null,
    translations: new Translations(SPEECH),
  }),
}
