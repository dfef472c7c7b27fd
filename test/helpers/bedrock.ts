/** A provider of kind BEDROCK before the fake upstream, and what Bedrock would answer. */
import { QUICK_RETRY } from './configuration.ts'
import type { Scene } from './scene.ts'
import type { SignedAs } from './upstream/aws-signature.ts'
import { eventFrame } from './upstream/event-stream.ts'

const MODEL = 'us.anthropic.claude-sonnet-4-20250514-v1:0'
export const PATH = `/v1/model/${encodeURIComponent(MODEL)}`
export const API_KEY = 'ABSKQmVkcm9ja0FQSUtleS1leGFtcGxlLWtleQ=='
export const KEY: SignedAs = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'eu-west-1',
}
export const TEMPORARY = { ...KEY, sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLE//token+==' }

const USAGE = { inputTokens: 5, outputTokens: 3, totalTokens: 15, cacheReadInputTokens: 7, cacheWriteInputTokens: 0 }
export const FRAMES = [
  eventFrame('messageStart', '{"role":"assistant"}'),
  eventFrame('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"text":"Grüße, "},"p":"abcd"}'),
  eventFrame('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"text":"😀"},"p":"a"}'),
  eventFrame('contentBlockStop', '{"contentBlockIndex":0}'),
  eventFrame('messageStop', '{"stopReason":"end_turn"}'),
  eventFrame('metadata', JSON.stringify({ usage: USAGE, metrics: { latencyMs: 1 } })),
]
export const ANSWER = JSON.stringify({
  output: { message: { role: 'assistant', content: [{ text: 'Grüße, 😀' }] } },
  stopReason: 'end_turn',
  usage: USAGE,
})

/** An alias of a provider of its own, with this key. */
export async function addBedrock(
  { gateway, upstream }: Scene,
  alias: string,
  apiKey: string,
  providerModel = MODEL,
): Promise<void> {
  const provider = await gateway.addProvider(upstream.baseUrl, {
    kind: 'BEDROCK',
    apiKeys: [apiKey],
    settings: { region: KEY.region },
    breaker: { minRequests: 1_000 },
  })
  await gateway.addAlias(alias, [{ provider, providerModel }], { retry: { ...QUICK_RETRY, maxAttempts: 2 } })
}
