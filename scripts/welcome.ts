/** What the launcher prints once both planes serve. */
import type { Addresses } from './credentials.ts'

/** The secrets that control made at its first start. */
export interface FirstStart {
  readonly adminKey: string
  readonly token: string
}

export interface Welcome extends Addresses {
  /** Null on later starts. */
  readonly firstStart: FirstStart | null
  /** Null where there is none. */
  readonly credentialsFile: string | null
  /** The operator has set the admin key, so there is no need to show it. */
  readonly adminKeyIsSet: boolean
  /** Null if the proxy serves; else what it says instead. */
  readonly unready: string | null
}

const CHAT = JSON.stringify({ model: 'demo', stream: true, messages: [{ role: 'user', content: 'Hello' }] })
const QUERY = JSON.stringify({ query: '{ requests(first: 5) { edges { node { model status latencyMs } } } }' })

export function welcome(of: Welcome): string {
  const { graphqlUrl, proxyUrl, firstStart, credentialsFile, adminKeyIsSet, unready } = of
  const addresses = `
${unready === null ? 'Millrace serves.' : `Millrace runs, but its proxy is not ready: ${unready}`}

  OpenAI API     ${proxyUrl}/v1
  Anthropic API  ${proxyUrl}
  GraphQL        ${graphqlUrl}
`
  if (!firstStart) return addresses + (credentialsFile ? `\nKeys: ${credentialsFile}\n` : '')
  const adminKey = adminKeyIsSet ? `"Authorization: Bearer $MILLRACE_ADMIN_KEY"` : bearer(firstStart.adminKey)
  return `${addresses}
A first start: it made a token and an admin key, which are shown this once${credentialsFile ? ` and kept in\n${credentialsFile}` : ''}.

With the token, stream an answer from the alias "demo":

  curl -N ${proxyUrl}/v1/chat/completions -H ${bearer(firstStart.token)} -H 'content-type: application/json' -d '${CHAT}'

With the admin key, see the request's record:

  curl ${graphqlUrl} -H ${adminKey} -H 'content-type: application/json' -d '${QUERY}'
`
}

function bearer(secret: string): string {
  return `'Authorization: Bearer ${secret}'`
}
