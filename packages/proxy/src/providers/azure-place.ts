/** The last version of deployment URLs that is no preview, for who names a deployment's URL and no version. */
const DEFAULT_VERSION = '2024-10-21'

/** From here on there are Responses (Microsoft's "Azure OpenAI Responses API": "2025-03-01-preview or later"). */
const FIRST_WITH_RESPONSES = '2025-03-01'
const DATE = /^\d{4}-\d\d-\d\d/

/** The v1 API's own names of itself. */
const V1_VERSIONS: ReadonlySet<string | null> = new Set([null, 'v1', 'preview', 'latest'])

/** Up to `/openai`, what the portal has behind it, and of deployments their name and what their own endpoints add. */
const PATH = /^(.*?)(?:\/openai(?:\/v1)?(?:\/responses)?|\/v1)?(?:\/deployments\/([^/]+)(?:\/.*)?)?\/*$/

/** What is below a deployment, besides the endpoints that are understood: Azure OpenAI's data plane. */
const OF_DEPLOYMENT = /^\/(?:images|audio)\//

/** Where a resource has its paths, out of a base URL in any of the forms in which operators have it. */
export class AzurePlace {
  readonly origin: string
  /** Of all its paths. */
  readonly prefix: string
  /** Null: the v1 API, which has none. */
  readonly version: string | null
  /** The only one that is asked; null: each model is the name of one. */
  private readonly deployment: string | null
  private readonly hasResponses: boolean

  /**
   * @param baseUrl `https://NAME.openai.azure.com`, with or without `/openai`, `/openai/v1`, `/openai/responses` or `/openai/deployments/NAME…`
   * @param apiVersion as it is set; null: it isn't
   */
  constructor(baseUrl: string, apiVersion: string | null) {
    const { origin, pathname, searchParams } = new URL(baseUrl)
    const [, before = '', deployment = null] = PATH.exec(pathname.replace(/\/+$/, '')) ?? []
    const given = apiVersion ?? searchParams.get('api-version')
    this.origin = origin
    this.deployment = deployment
    const isV1 = V1_VERSIONS.has(given)
    this.version = deployment === null ? (isV1 ? null : given) : isV1 ? DEFAULT_VERSION : given
    this.hasResponses = (DATE.exec(this.version ?? '')?.[0] ?? '') >= FIRST_WITH_RESPONSES
    this.prefix = `${before}/openai${this.version === null ? '/v1' : ''}`
  }

  /** A deployment's path below {@link prefix}, with its query. */
  pathOf(path: string, model: string): string {
    return `/deployments/${this.deployment ?? segmentOf(model)}${path}?api-version=${this.version}`
  }

  /**
   * The same of Responses, which are below no deployment: the body's model names it.
   * @returns null: the version has none, or another deployment than the model's is the one that is asked
   */
  responsesPathOf(model: string): string | null {
    const names = this.deployment === null || this.deployment === segmentOf(model)
    return this.hasResponses && names ? `/responses?api-version=${this.version}` : null
  }

  /**
   * A path below {@link prefix} that is passed on, with its query.
   * @param query the client's, with its `?`, or empty
   * @param model empty: none is named
   */
  passedPathOf(path: string, query: string, model: string): string {
    const below = OF_DEPLOYMENT.test(path) && (model !== '' || this.deployment !== null)
    const whole = below ? `/deployments/${this.deployment ?? segmentOf(model)}${path}` : path
    if (new URLSearchParams(query).has('api-version')) return whole + query
    return `${whole}${query === '' ? '?' : `${query}&`}api-version=${this.version}`
  }
}

/** No name leads out of its place in the path. */
function segmentOf(model: string): string {
  return encodeURIComponent(model.toWellFormed()).replace(/^\.{1,2}$/, (dots) => dots.replaceAll('.', '%2E'))
}
