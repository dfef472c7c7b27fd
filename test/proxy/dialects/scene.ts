/** A proxy with a provider of each kind, for a whole test file. */
import assert from 'node:assert/strict'

import type { Answer } from '../../helpers/http.ts'
import { OwnProxy, useProxy } from '../../helpers/own-proxy.ts'
import type { Behaviour, SeenRequest } from '../../helpers/upstream.ts'
import { dialectSnapshot } from './kinds.ts'

export class DialectScene extends OwnProxy {
  /** POSTs a body that the upstream answers so. It must be asked, and once. */
  async ask(behaviour: Behaviour, path: string, body: string | object): Promise<{ answer: Answer; seen: SeenRequest }> {
    const before = this.upstream.requests.length
    const told = await this.asked(behaviour, () => this.post(path, body))
    this.upstream.expectNothing()
    const { status, text } = told.answer
    assert.equal(this.upstream.requests.length, before + 1, `the upstream is asked once: ${status} ${text}`)
    return told
  }
}

/** One for the file that calls this, started before its first test. */
export function useDialects(): DialectScene {
  return useProxy(new DialectScene(dialectSnapshot))
}
