import { setTimeout as delay } from 'node:timers/promises'

import { PROVIDER_TEST_MS, untriedProvider, type ProviderTest, type ProviderTestOutcome } from '@millrace/shared'

import { pickCredential } from '../routing/credentials.ts'
import type { CompiledSnapshot } from '../snapshot/compiled.ts'
import type { Configuration } from '../snapshot/configuration.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import { Probe } from './probe.ts'

/** A change is here in less, unless it does not come at all. */
const CHANGE_MS = 5_000
const POLL_MS = 20

/** Tries providers as they are set up here, for an operator who wants to know whether they answer. */
export class ProviderTests {
  private readonly configuration: Pick<Configuration, 'current'>
  private readonly deadlines: Deadlines

  constructor(configuration: Pick<Configuration, 'current'>, deadlines: Deadlines) {
    this.configuration = configuration
    this.deadlines = deadlines
  }

  /** Never rejects. */
  async run({ provider: id, model, revision }: Omit<ProviderTest, 'process'>): Promise<ProviderTestOutcome> {
    const snapshot = await this.snapshotAt(revision)
    if (snapshot === null) return untriedProvider(`the proxy has not taken up revision ${revision}`)
    const provider = snapshot.reached.get(id)
    if (provider === undefined)
      return untriedProvider('it is switched off, or cannot be used: the log of the proxy says why')
    const { needsCredential, sharedCredentials } = provider.provider
    const credential = pickCredential(sharedCredentials, performance.now()) ?? sharedCredentials[0] ?? null
    if (credential === null && needsCredential)
      return untriedProvider('it has no upstream key that serves every project and can be used here')
    return new Probe(provider, model, credential, this.deadlines, PROVIDER_TEST_MS).send()
  }

  private async snapshotAt(revision: number): Promise<CompiledSnapshot | null> {
    const until = performance.now() + CHANGE_MS
    for (;;) {
      const { current } = this.configuration
      if (current !== null && current.revision >= revision) return current
      if (performance.now() >= until) return null
      await delay(POLL_MS)
    }
  }
}
