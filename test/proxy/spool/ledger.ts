/** Clients that note what they were told of each request, and what control has stored of it. */
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { toPicodollars } from '@millrace/shared'

import { uniqueName, type Gateway } from '../../helpers/gateway.ts'
import { open, type OpenAnswer } from '../../helpers/http.ts'
import type { Behaviour, Upstream } from '../../helpers/upstream.ts'
import { behaviours } from '../../helpers/upstream/behaviours.ts'

/** One request, as its client or its record tells of it. */
export interface Line {
  readonly status: number
  readonly stream: boolean
  /** Null where the client was not told. */
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly costUsd: number | null
}

interface Told {
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null
  readonly metadata?: { readonly cost_usd: number | null }
}

/** Requests after which clients take their time: a slow machine is not to be buried in them. */
const ENOUGH = 800

/** What a page of records shows. */
interface Page {
  readonly edges: readonly {
    readonly node: {
      readonly id: string
      readonly httpStatus: number
      readonly stream: boolean
      readonly costUsd: string | null
      readonly usage: { readonly inputTokens: number; readonly outputTokens: number }
    }
  }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

const PAGE = /* GraphQL */ `
  query ($token: ID!, $after: String) {
    requests(filter: { token: $token }, first: 500, after: $after) {
      edges {
        node {
          id
          httpStatus
          stream
          costUsd
          usage {
            inputTokens
            outputTokens
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`

/** Each answer has a usage of its own, by the request's `seed`. */
const variedUsage: Behaviour = (exchange) => {
  const { seed } = exchange.seen.json as { seed: number }
  const usage = { prompt_tokens: 11 + (seed % 97), completion_tokens: 1 + (seed % 13), total_tokens: 0 }
  const choice = (of: object): object => ({ model: 'varied', choices: [{ index: 0, ...of }] })
  if (!exchange.streams)
    return behaviours.raw(JSON.stringify({ ...choice({ message: { content: 'ok' } }), usage }))(exchange)
  const chunks = [choice({ delta: { content: 'ok' } }), choice({ delta: {}, finish_reason: 'stop' })]
  return behaviours.events([...chunks, { model: 'varied', choices: [], usage }].map((one) => JSON.stringify(one)))(
    exchange,
  )
}

export class Ledger {
  /** By the records' ids. */
  readonly lines = new Map<string, Line>()
  /** How many of these went to a provider. */
  counted = 0
  /** What should not have happened. */
  readonly failures: string[] = []
  readonly token: { readonly id: string; readonly secret: string }
  readonly #gateway: Gateway
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #models: { readonly varied: string; readonly failing: string; readonly endless: string }

  constructor(gateway: Gateway, token: Ledger['token'], models: { varied: string; failing: string; endless: string }) {
    this.#gateway = gateway
    this.token = token
    this.#models = models
  }

  /** Has some clients ask, each again as soon as it was answered. @returns what ends them */
  load(clients: number): { end(): Promise<void> } {
    const stopping = new AbortController()
    let seed = 0
    const all = Array.from({ length: clients }, async () => {
      while (!stopping.signal.aborted) {
        await this.ask(++seed).catch((error: unknown) => this.failures.push(String(error)))
        await sleep(seed < ENOUGH ? 20 : 200)
      }
    })
    return {
      end: async () => {
        stopping.abort()
        await Promise.all(all)
        this.#agent.destroy()
      },
    }
  }

  /** One request; of twenty one is for a model that there is not, one for one that fails, and one is given up. */
  async ask(seed: number): Promise<void> {
    const kind = seed % 20
    const { varied, failing, endless } = this.#models
    const model = kind === 0 ? 'there-is-none' : kind === 1 ? failing : kind === 2 ? endless : varied
    const stream = kind === 2 || seed % 2 === 1
    using answer = await open(`${this.#gateway.proxy.url}/v1/chat/completions`, {
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${this.token.secret}`,
        'content-type': 'application/json',
        'x-millrace-include': 'metadata',
      },
      body: JSON.stringify({
        model,
        stream,
        seed,
        ...(stream ? { stream_options: { include_usage: true } } : {}),
        messages: [{ role: 'user', content: 'Say ok.' }],
      }),
    })
    const id = String(answer.headers['x-millrace-id'])
    const told = kind === 2 ? await giveUp(answer) : await lastOf(answer)
    const line: Line = {
      status: kind === 2 ? 499 : answer.status,
      stream,
      inputTokens: told?.usage?.prompt_tokens ?? null,
      outputTokens: told?.usage?.completion_tokens ?? null,
      costUsd: told?.metadata?.cost_usd ?? null,
    }
    const expected = kind === 0 ? 404 : kind === 1 ? 502 : kind === 2 ? 499 : 200
    if (line.status !== expected || this.lines.has(id)) this.failures.push(`${id}: ${JSON.stringify(line)}`)
    if (expected === 200 && line.costUsd === null) this.failures.push(`${id}: no cost`)
    if (kind !== 0) this.counted++
    this.lines.set(id, line)
  }

  /** All records of its token, by id, and what they come to, in 10^-12 USD. @throws Error if one is there twice */
  async stored(): Promise<{ stored: Map<string, Line>; spent: bigint }> {
    const stored = new Map<string, Line>()
    let spent = 0n
    let after: string | null = null
    do {
      const { requests }: { requests: Page } = await this.#gateway.control.gql(PAGE, { token: this.token.id, after })
      for (const { node } of requests.edges) {
        if (stored.has(node.id)) throw new Error(`${node.id} is stored twice`)
        const { httpStatus: status, stream, costUsd, usage } = node
        stored.set(node.id, { status, stream, costUsd: costUsd === null ? null : Number(costUsd), ...usage })
        spent += toPicodollars(costUsd ?? '0')
      }
      after = requests.pageInfo.hasNextPage ? requests.pageInfo.endCursor : null
    } while (after !== null)
    return { stored, spent }
  }
}

async function giveUp(answer: OpenAnswer): Promise<null> {
  if (answer.status === 200) await answer.until('data:')
  answer.abort()
  return null
}

/** The JSON of an answer, or the last of a stream. */
async function lastOf(answer: OpenAnswer): Promise<Told | null> {
  const { body, complete } = await answer.rest()
  if (!complete) throw new Error('an answer was cut off')
  const text = body.toString()
  if (!text.startsWith('data:')) return JSON.parse(text) as Told
  const last = text.split('\n\n').findLast((event) => event.startsWith('data: {'))
  return last === undefined ? null : (JSON.parse(last.slice(6)) as Told)
}

/** A gateway's, with a token whose requests are all its own. */
export async function openLedger(gateway: Gateway, upstream: Upstream): Promise<Ledger> {
  const make = async (behaviour: Behaviour): Promise<string> => {
    const name = uniqueName('ledger')
    upstream.on(name, behaviour)
    const provider = await gateway.addProvider(upstream.baseUrl)
    const route = { provider, providerModel: name, inputPrice: '3.7', outputPrice: '111.1' }
    await gateway.addAlias(name, [route], { retry: { maxAttempts: 1 } })
    return name
  }
  const models = {
    varied: await make(variedUsage),
    failing: await make(behaviours.serverError()),
    endless: await make(behaviours.stall('mid-body')),
  }
  const token = await gateway.addToken({ budget: { limitUsd: '1000000', period: 'TOTAL' } })
  await gateway.untilServed()
  return new Ledger(gateway, token, models)
}
