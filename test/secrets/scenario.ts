/** A system with a secret of every kind, and what becomes of them: used, rotated, refused, repeated by the upstream. */
import { randomBytes } from 'node:crypto'

import { ADMIN_KEY_PREFIX, newMasterKey, newSecret, TOKEN_PREFIX } from '@millrace/shared'

import type { ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import type { ProxyProcess } from '../helpers/proxy.ts'
import { RECORD_FIELDS } from '../helpers/stored-record.ts'
import { waitFor } from '../helpers/wait.ts'
import { ECHOES } from './echoes.ts'
import type { Places } from './forms.ts'

/** Of characters that are written otherwise in URLs and in JSON. */
const upstreamKey = (): string => `sk-up-${randomBytes(18).toString('hex')}+/=%~&`

/** All that the system is given, by what it is called. */
export function newSecrets() {
  const secrets = new Map<string, string>()
  const keep = (name: string, secret: string): string => {
    secrets.set(name, secret)
    return secret
  }
  return {
    secrets,
    keep,
    adminKey: keep('the admin key', newSecret(ADMIN_KEY_PREFIX).secret),
    proxyKey: keep('the proxy key', newSecret(ADMIN_KEY_PREFIX).secret),
    masterKey: keep('the master key', newMasterKey()),
    nextMasterKey: keep('the next master key', newMasterKey()),
    literal: keep("the provider's upstream key", upstreamKey()),
    fromEnv: keep("the environment's upstream key", upstreamKey()),
    ofProject: keep("the project's upstream key", upstreamKey()),
    ofClient: keep("the client's own upstream key", upstreamKey()),
    refusedKey: keep('an upstream key that was refused', `${upstreamKey()} ${upstreamKey()}`),
    badToken: keep('a token that nobody has', newSecret(TOKEN_PREFIX).secret),
    badAdminKey: keep('an admin key that nobody has', newSecret(ADMIN_KEY_PREFIX).secret),
    redisPassword: keep("Redis' password", `${randomBytes(16).toString('hex')}+/=%`),
    databasePassword: keep("the database's password", `${randomBytes(16).toString('hex')}=~`),
  }
}
export type Secrets = ReturnType<typeof newSecrets>

export class Scenario {
  readonly control: ControlProcess
  readonly proxy: ProxyProcess
  readonly given: Secrets
  readonly places: Places
  /** Requests that were answered. */
  sent = 0
  readonly tokens: Record<'plain' | 'own' | 'rotated' | 'revoked', string> = {
    plain: '',
    own: '',
    rotated: '',
    revoked: '',
  }

  constructor(control: ControlProcess, proxy: ProxyProcess, given: Secrets, places: Places) {
    this.control = control
    this.proxy = proxy
    this.given = given
    this.places = places
  }

  /** Waits until the proxy knows the last of the tokens and the master key, and captures what it serves. */
  async untilServing(): Promise<void> {
    // Not too often: each has a record, of which so many are looked at.
    const now = { intervalMs: 250 }
    await waitFor(async () => (await this.chat(this.tokens.own, 'literal/good')) === 200, now)
    await waitFor(async () => {
      await this.chat(this.tokens.plain, 'literal/good')
      return (await this.ask('{ it: debugExchanges(first: 1) { edges { node { id } } } }')).edges.length > 0
    }, now)
  }

  /** Waits until all requests that were sent have their records. */
  async untilRecorded(): Promise<void> {
    const query = '{ it: requests(first: 500) { edges { cursor } } }'
    await waitFor(async () => (await this.ask(query)).edges.length >= this.sent, {
      timeoutMs: 60_000,
      what: 'the records',
    })
  }

  /** The answer's data, which is also kept, but for the secrets that it shows once. */
  async ask(query: string, variables: object = {}, key: string = this.given.adminKey): Promise<any> {
    const response = await fetch(`${this.control.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query, variables }),
    })
    const answer: any = await response.json()
    const secret: unknown = answer.data?.it?.secret
    if (typeof secret === 'string') delete answer.data.it.secret
    this.places.add('GraphQL answer', JSON.stringify([...response.headers, answer]))
    return { ...answer.data?.it, secret }
  }

  async chat(token: string, model: string, more: { stream?: boolean; headers?: Record<string, string> } = {}) {
    const response = await fetch(`${this.proxy.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...more.headers },
      body: JSON.stringify({ model, stream: more.stream === true, messages: [{ role: 'user', content: 'Hello' }] }),
    })
    const text = await response.text().catch((error: unknown) => String(error))
    this.sent++
    // What a provider answers with success goes to its client as it came.
    if (!model.endsWith('echo-broken-event'))
      this.places.add(`answer to ${model}`, JSON.stringify([response.status, ...response.headers, text]))
    return response.status
  }

  async configure(upstreamUrl: string): Promise<void> {
    const { given } = this
    const create =
      'mutation ($input: CreateProviderInput!) { it: createProvider(input: $input) { id credentials { fingerprint } } }'
    const make = async (name: string, apiKey: string): Promise<string> => {
      const input = { name, kind: 'OPENAI_COMPATIBLE', baseUrl: upstreamUrl, apiKeys: [apiKey], direct: true }
      return (await this.ask(create, { input })).id
    }
    const literal = await make('literal', given.literal)
    await make('from-env', 'env:SECRETS_TEST_API_KEY')
    const refused = { name: 'refused', kind: 'OPENAI', apiKeys: [given.refusedKey] }
    await this.ask(create, { input: refused })
    await this.ask(create, { input: { ...refused, kind: given.refusedKey } })
    await this.ask(create, { input: { ...refused, name: 'literal', apiKeys: [given.literal] } })
    await this.ask(create, { input: { ...refused, apiKeys: { key: given.refusedKey } } })
    await this.ask(`mutation { it: createProvider(input: {name: "x", kind: OPENAI, apiKeys: ["${given.refusedKey}"`)
    const project = (await this.ask('mutation { it: createProject(input: { name: "secretive" }) { id } }')).id
    await this.ask(
      'mutation ($provider: ID!, $input: CredentialInput!) { it: addCredential(provider: $provider, input: $input) { id } }',
      {
        provider: literal,
        input: { apiKey: given.ofProject, project },
      },
    )
    const token = async (name: keyof Scenario['tokens'], input: object = {}): Promise<string> => {
      const made = await this.ask(
        'mutation ($input: CreateTokenInput!) { it: createToken(input: $input) { secret token { id } } }',
        { input: { name, project, ...input } },
      )
      this.tokens[name] = given.keep(`the token ${name}`, made.secret)
      return made.token.id
    }
    await token('plain')
    await token('own', { access: { ownKeys: true }, limits: { requestsPerMinute: 1_000 }, maxRequests: 1_000 })
    const rotated = await token('rotated', { budget: { limitUsd: '1', period: 'DAY' } })
    const { secret } = await this.ask('mutation ($id: ID!) { it: rotateToken(id: $id, graceSeconds: 60) { secret } }', {
      id: rotated,
    })
    given.keep('the rotated token', secret)
    await this.ask('mutation ($id: ID!) { it: revokeToken(id: $id) { id } }', { id: await token('revoked') })
    for (const role of ['VIEWER', 'EDITOR']) {
      const key = await this.ask(
        'mutation ($name: String!, $role: Role!) { it: createAdminKey(name: $name, role: $role) { secret } }',
        { name: uniqueName(role), role },
      )
      given.keep(`the ${role} key`, key.secret)
      await this.ask('{ it: adminKeys { id } }', {}, key.secret)
    }
    await this.ask('{ it: viewer { id } }', {}, given.badAdminKey)
    // What clients get is looked at, too: answers in which a provider repeats its key among them.
    await this.ask('mutation { it: setDebugCapture(enabled: true, maxBodyBytes: 200) { enabled } }')
  }

  /** Success and failure of every kind, by each of the keys. */
  async serve(): Promise<void> {
    const { given, tokens } = this
    const own = { 'x-millrace-upstream-key': given.ofClient, 'x-millrace-provider': 'literal' }
    for (const model of Object.keys(ECHOES))
      await Promise.all(
        [false, true].flatMap((stream) => [
          this.chat(tokens.plain, `literal/${model}`, { stream }),
          this.chat(tokens.plain, `from-env/${model}`, { stream }),
          this.chat(this.control.token, `literal/${model}`, { stream }),
          this.chat(tokens.own, `literal/${model}`, { stream, headers: own }),
        ]),
      )
    for (const token of [tokens.rotated, tokens.revoked, given.badToken, given.adminKey, 'malformed'])
      await this.chat(token, 'literal/good')
    await this.chat(tokens.plain, 'literal/good', { headers: { ...own, cookie: given.badToken } })
    await this.chat('', 'literal/good', { headers: { authorization: '', 'x-api-key': given.badToken } })
    const { url } = this.proxy
    for (const [path, body] of [
      [`/v1/chat/completions?key=${tokens.plain}`, `{"model": "literal/good", "api_key": "${tokens.plain}"`],
      ['/v1/nothing', '{}'],
    ] as const) {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tokens.plain}`, 'content-type': 'application/json' },
        body,
      })
      this.places.add(`answer to ${path.slice(0, 20)}`, JSON.stringify([...response.headers, await response.text()]))
    }
  }

  /** All that an operator can read. */
  async read(): Promise<void> {
    const captured = await this.ask('{ it: debugExchanges(first: 500) { edges { node { id } } } }')
    const EXCHANGE =
      'query ($id: ID!) { it: debugExchange(id: $id) { target requestHeaders requestBody responseHeaders responseBody } }'
    for (const { node } of captured.edges) await this.ask(EXCHANGE, node)
    for (const query of [
      `{ it: requests(first: 300) { edges { node { ${RECORD_FIELDS} } } } }`,
      '{ it: auditEvents(first: 500) { edges { node { actor action subject result clientIp details } } } }',
      '{ it: configRevisions(first: 500) { edges { node { author message changes { name path before after } } } } }',
      '{ it: providers { name settings credentials { label fingerprint } health { lastError } } }',
      '{ it: tokens { edges { node { name prefix metadata } } } }',
      '{ it: adminKeys { name prefix } }',
      '{ it: proxies { id version } }',
    ])
      await this.ask(query)
    for (const base of [this.control.url, this.proxy.url])
      for (const path of ['/', '/healthz', '/readyz', '/metrics']) {
        const response = await fetch(`${base}${path}`)
        this.places.add(`page ${path}`, JSON.stringify([...response.headers, await response.text()]))
      }
    for (const name of ['requests.csv', 'requests.ndjson']) {
      const headers = { authorization: `Bearer ${this.given.adminKey}` }
      const response = await fetch(`${this.control.url}/export/${name}`, { headers })
      if (!response.ok) throw new Error(`no export: ${response.status}`)
      this.places.add(`export ${name}`, JSON.stringify([...response.headers, await response.text()]))
    }
  }
}
