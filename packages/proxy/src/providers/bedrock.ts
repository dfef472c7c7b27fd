/** Amazon Bedrock: Converse for every model that chats, InvokeModel for those that embed (Bedrock's API reference, "Runtime"). */
import { PROVIDER_SETTINGS, readAwsKey } from '@millrace/shared'

import { converseCountWire } from '../dialects/converse/count.ts'
import { bedrockEmbeddingWire } from '../dialects/converse/embeddings.ts'
import { converseWire } from '../dialects/converse/wire.ts'
import type { Task } from '../endpoints/endpoint.ts'
import { AwsEventSplitter, awsCodec } from '../stream/aws-event-stream.ts'
import type { SpokenTo } from '../translation/translated.ts'
import { Translations } from '../translation/translations.ts'
import type { UpstreamRequest } from '../upstream/upstream.ts'
import { regionIn, signRequest, type SignedFor } from './aws-signature.ts'
import type { Connection, Provider, Speech } from './provider.ts'
import { reached, urlOf } from './reached.ts'
import { spokenTo } from './speech.ts'

const BY_TASK: Readonly<Record<Task, SpokenTo>> = {
  chat: { wire: converseWire, headers: [], splitter: () => new AwsEventSplitter() },
  count: spokenTo(converseCountWire),
  embeddings: spokenTo(bedrockEmbeddingWire),
}

const SPEECH: Speech = {
  kind: 'BEDROCK',
  variesByModel: false,
  headers: [],
  nativePath: () => null,
  editsOf: () => null,
  wireFor: (task) => BY_TASK[task],
}

/** Signs requests whose key is no API key. */
function signerFor(signedFor: SignedFor): (apiKey: string, request: UpstreamRequest) => void {
  return (apiKey, request) => {
    const key = readAwsKey(apiKey)
    if (key !== null) signRequest(request, key, signedFor, Date.now())
  }
}

export const bedrock: Provider = {
  authorize: (apiKey) => (readAwsKey(apiKey) === null ? ['authorization', `Bearer ${apiKey}`] : []),
  connect(provider, pools): Connection {
    const { http2, region } = PROVIDER_SETTINGS.BEDROCK.parse(provider.settings)
    const url = urlOf(provider)
    awsCodec()
    return {
      ...reached(provider, pools, url, http2),
      passthrough: null,
      translations: new Translations(SPEECH),
      sign: signerFor({ host: url.host, region: regionIn(url.host) ?? region, service: 'bedrock' }),
    }
  },
}
