/** What both planes know of providers: their kinds, and the settings that each kind takes. */
import * as z from 'zod'

import { NATIVE_ENDPOINTS, PRESET_NAMES } from './presets.ts'
import { flag, globText, methodName, numberFrom, oneOf, wholeNumber } from './values.ts'

export const PROVIDER_KINDS = [
  'OPENAI',
  'AZURE_OPENAI',
  'ANTHROPIC',
  'GEMINI',
  'BEDROCK',
  'OPENAI_COMPATIBLE',
  'SIMULATED',
] as const
export type ProviderKind = (typeof PROVIDER_KINDS)[number]

/** Where a kind lives if its provider doesn't say. */
export const DEFAULT_BASE_URLS: Partial<Record<ProviderKind, string>> = {
  OPENAI: 'https://api.openai.com/v1',
  ANTHROPIC: 'https://api.anthropic.com',
  GEMINI: 'https://generativelanguage.googleapis.com/v1beta',
}

/** Whether a provider of a kind is never asked without an upstream key. */
const NEEDS_CREDENTIAL: Readonly<Record<string, boolean>> = {
  OPENAI: true,
  AZURE_OPENAI: true,
  ANTHROPIC: true,
  GEMINI: true,
  BEDROCK: true,
  // Local model servers often want no key.
  OPENAI_COMPATIBLE: false,
  SIMULATED: false,
} satisfies Record<ProviderKind, boolean>

/** Whether a provider is never asked without an upstream key. One that has keys is not, though none of them should open. */
export function needsCredential({
  kind,
  credentials,
}: {
  readonly kind: string
  readonly credentials: readonly unknown[]
}): boolean {
  return credentials.length > 0 || NEEDS_CREDENTIAL[kind] === true
}

/** What a provider is asked for besides what Millrace understands itself, unless it is set. None of it keeps state. */
const DEFAULT_PASSED_ENDPOINTS: readonly string[] = ['/v1/images/*', '/v1/audio/*', '/v1/moderations']

const MOST_PASSED = 1_000
const passedEndpoint = globText.regex(/^\/v1\//, 'must begin with /v1/')

const passthroughSettings = z.strictObject(
  {
    /** Paths as clients call them. An empty list: none. */
    endpoints: z
      .array(passedEndpoint, 'must be a list')
      .max(MOST_PASSED, `must have at most ${MOST_PASSED} entries`)
      .default([...DEFAULT_PASSED_ENDPOINTS]),
    /** Null: all. */
    methods: z
      .array(methodName, 'must be a list')
      .max(MOST_PASSED, `must have at most ${MOST_PASSED} entries`)
      .nullable()
      .default(null),
  },
  { error: ({ code }) => (code === 'invalid_type' ? 'must be an object' : undefined) },
)
/** Which requests a provider gets as they come. */
export type PassthroughSettings = Readonly<z.infer<typeof passthroughSettings>>

const transport = {
  /** Offer HTTP/2 to TLS upstreams. Fewer connections and cheaper streams, dearer short answers; off unless set. */
  http2: flag.default(false),
}

const MOST_MODELS = 1_000
const openAiFamily = {
  ...transport,
  passthrough: passthroughSettings.prefault({}),
  /** Models that are asked by the Responses API where a client speaks another than that: some know no other. */
  responsesModels: z
    .array(globText, 'must be a list')
    .max(MOST_MODELS, `must have at most ${MOST_MODELS} entries`)
    .default([]),
}

/** Those that OpenAI itself serves by the Responses API alone (its pages of models). */
const RESPONSES_ONLY_MODELS: readonly string[] = [
  '*-pro',
  '*-pro-20*',
  '*codex*',
  '*deep-research*',
  'computer-use-preview*',
]

const openAiSettings = z.strictObject({
  ...openAiFamily,
  responsesModels: openAiFamily.responsesModels.unwrap().default([...RESPONSES_ONLY_MODELS]),
})

const azureOpenAiSettings = z.strictObject({
  ...openAiFamily,
  /** Of deployment URLs, such as 2024-10-21; null: the v1 API, which has no versions. */
  apiVersion: z
    .string('must be a text')
    .regex(/^[\w.-]{1,64}$/, 'must be a version such as 2024-10-21')
    .nullable()
    .default(null),
})

const bedrockSettings = z.strictObject({
  ...transport,
  /** AWS's region: of the base URL, unless that is set, and of signatures. */
  region: z
    .string('must be a text')
    .regex(/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/, 'must be a region such as us-east-1')
    .default('us-east-1'),
})

const compatibleSettings = z.strictObject({
  ...openAiFamily,
  /** Who it is: gives its base URL, its endpoints and what it takes otherwise (presets.ts). Null: one that nothing is known of. */
  preset: oneOf(PRESET_NAMES).nullable().default(null),
  /** What it is asked for in the client's own words, as clients call it; null: what its preset says. */
  endpoints: z.array(oneOf(NATIVE_ENDPOINTS), 'must be a list').nullable().default(null),
})

/** What a SIMULATED provider can do wrong on purpose. */
export const SIMULATED_ERROR_KINDS = [
  'bad_request',
  'unauthorized',
  'rate_limited',
  'server_error',
  'unavailable',
  'disconnect',
  'stall',
  'stream_error',
  'stream_truncated',
] as const

/** Of characters, and of words. */
const LONGEST_REPLY = 100_000
const text = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(LONGEST_REPLY, `must have at most ${LONGEST_REPLY} characters`)

const simulatedSettings = z.strictObject({
  /** The answer's text; repeated or cut to `outputTokens` words. */
  reply: text.default('Hello from Millrace. This answer is simulated: no model was asked.'),
  /** Words in the answer, one a token and a chunk. Null: as many as `reply` has. */
  outputTokens: wholeNumber(1, LONGEST_REPLY).nullable().default(null),
  /** Milliseconds before the first token, or before an unstreamed answer begins to be made. */
  firstTokenMs: numberFrom(0, 600_000).default(0),
  /** Milliseconds between tokens; unstreamed answers take as long. */
  betweenTokensMs: numberFrom(0, 60_000).default(0),
  /** The share of requests that fail, 0 to 1. */
  errorRate: numberFrom(0, 1).default(0),
  errorKind: oneOf(SIMULATED_ERROR_KINDS).default('server_error'),
})
export type SimulatedSettings = z.infer<typeof simulatedSettings>

/** The settings that each kind takes, with their defaults. Unknown settings are refused: a misspelt one would do nothing. */
export const PROVIDER_SETTINGS = {
  OPENAI: openAiSettings,
  AZURE_OPENAI: azureOpenAiSettings,
  ANTHROPIC: z.strictObject(transport),
  GEMINI: z.strictObject(transport),
  BEDROCK: bedrockSettings,
  OPENAI_COMPATIBLE: compatibleSettings,
  SIMULATED: simulatedSettings,
} as const satisfies Record<ProviderKind, z.ZodType>

/** Milliseconds of one attempt. */
export interface Timeouts {
  /** TCP and TLS. */
  readonly connect: number
  /** A stream's request sent to its first content. */
  readonly firstToken: number
  /** Between chunks of a body. */
  readonly idle: number
  /** The whole attempt. */
  readonly total: number
}

export const DEFAULT_TIMEOUTS: Timeouts = { connect: 5_000, firstToken: 60_000, idle: 60_000, total: 600_000 }

export const MAX_TIMEOUT_MS = 86_400_000
