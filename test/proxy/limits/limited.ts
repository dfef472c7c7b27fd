/** Tokens and projects with limits, at a gateway, and what becomes of requests with them. */
import type { BudgetPolicy, Limits } from '@millrace/shared'

import { QUICK_RETRY, type AliasOptions, type TokenOptions } from '../../helpers/configuration.ts'
import type { Gateway } from '../../helpers/gateway.ts'
import { send, type Answer } from '../../helpers/http.ts'
import { uniqueName } from '../../helpers/names.ts'
import type { ProxyProcess } from '../../helpers/proxy.ts'
import type { Upstream } from '../../helpers/upstream.ts'
import { behaviours } from '../../helpers/upstream/behaviours.ts'
import { USAGE } from '../../helpers/upstream/completion.ts'
import type { Behaviour } from '../../helpers/upstream/exchange.ts'

/** USD a million tokens of output; input is free. */
const OUTPUT_PRICE = '1000'
/** A request that asks for so many tokens at most costs what was reserved for it. */
export const EXACT = { max_tokens: USAGE.completion_tokens }
/** What a good answer costs, in USD. */
export const COST = 0.007

export interface Spent {
  readonly budget: { readonly spentUsd: string } | null
  readonly requestCount: number
}

export class Limited {
  readonly #gateway: Gateway
  readonly #upstream: Upstream

  constructor(gateway: Gateway, upstream: Upstream) {
    this.#gateway = gateway
    this.#upstream = upstream
  }

  /** A token, served when this returns. */
  async token(options: Partial<TokenOptions>): Promise<{ id: string; secret: string }> {
    const token = await this.#gateway.addToken(options)
    await this.#gateway.untilServed()
    return token
  }

  /** A project's id. */
  async project(options: { limits?: Partial<Limits>; budget?: BudgetPolicy }): Promise<string> {
    const { createProject } = await this.#gateway.control.gql<{ createProject: { id: string } }>(
      'mutation ($input: CreateProjectInput!) { createProject(input: $input) { id } }',
      { input: { name: uniqueName('project'), ...options } },
    )
    return createProject.id
  }

  /** An alias whose price is known, with one route to the upstream, which answers so. */
  async priced(behaviour: Behaviour = behaviours.answer(), options: AliasOptions = {}): Promise<string> {
    const name = uniqueName('priced')
    this.#upstream.on(name, behaviour)
    const provider = await this.#gateway.addProvider(this.#upstream.baseUrl)
    const route = { provider, providerModel: name, inputPrice: '0', outputPrice: OUTPUT_PRICE }
    await this.#gateway.addAlias(name, [route], { retry: QUICK_RETRY, ...options })
    await this.#gateway.untilServed()
    return name
  }

  chat(
    token: string,
    model: string,
    more: object = {},
    headers: Readonly<Record<string, string>> = {},
    proxy: ProxyProcess = this.#gateway.proxy,
  ): Promise<Answer> {
    return send(`${proxy.url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Say hello.' }], ...more }),
    })
  }

  /** As control tells it. */
  async spent(tokenId: string): Promise<Spent> {
    const { token } = await this.#gateway.control.gql<{ token: Spent }>(
      'query ($id: ID!) { token(id: $id) { requestCount budget { spentUsd } } }',
      { id: tokenId },
    )
    return token
  }

  async update(tokenId: string, input: object): Promise<void> {
    await this.#gateway.control.gql(
      'mutation ($id: ID!, $input: UpdateTokenInput!) { updateToken(id: $id, input: $input) { id } }',
      {
        id: tokenId,
        input,
      },
    )
    await this.#gateway.untilServed()
  }
}

/** A provider that answers nothing before so many others were refused: until then, all that were admitted are under way. */
export function heldUntilRefused(count: number): {
  readonly behaviour: Behaviour
  /** What is to be counted. */
  readonly refusing: (answer: Promise<Answer>) => Promise<Answer>
} {
  const { promise, resolve } = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  let refused = 0
  const refusing = async (answer: Promise<Answer>): Promise<Answer> => {
    // Where too few are refused: for the test to say so.
    timer ??= setTimeout(resolve, 30_000).unref()
    const { status } = await answer
    if (status === 429 && ++refused === count) resolve()
    return answer
  }
  return { behaviour: behaviours.onceReleased(promise, behaviours.answer()), refusing }
}

/** How many answers have each status. */
export function statuses(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** An error answer's code. */
export function codeOf({ text }: Answer): string {
  return (JSON.parse(text) as { error: { code: string } }).error.code
}

export function messageOf({ text }: Answer): string {
  return (JSON.parse(text) as { error: { message: string } }).error.message
}
