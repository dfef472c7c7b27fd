/** The route table, and nothing else. */
import { GatewayError } from '@millrace/shared'
import { H3, type EventHandler, type H3Event } from 'h3'

import { answerPreflight, isPreflight } from './access/cors.ts'
import type { ErrorForm } from './canonical/writer.ts'
import { openAiErrors } from './dialects/chat/errors.ts'
import { messagesErrors } from './dialects/messages/errors.ts'
import { findAnthropicModel, listAnthropicModels } from './endpoints/anthropic-models.ts'
import { ENDPOINTS } from './endpoints/index.ts'
import { findModel, listModels } from './endpoints/models.ts'
import type { Membership } from './membership.ts'
import type { MetricsAccess } from './metrics/access.ts'
import { addOperations } from './operations.ts'
import { passOn } from './passthrough/serve.ts'
import type { Gateway } from './request/gateway.ts'
import { answerLocally, relay, unknownModel, type Sender } from './request/handle.ts'
import type { CompiledSnapshot } from './snapshot/compiled.ts'

export function createApp(gateway: Gateway, membership: Membership, access: MetricsAccess): H3 {
  const app = new H3({ silent: true, allowMalformedURL: true })

  for (const endpoint of ENDPOINTS) {
    app.post(endpoint.path, (event) => relay(gateway, endpoint, event))
    app.all(
      endpoint.path,
      orPreflight((event) =>
        answerLocally(gateway, endpoint.path, event, () => methodNotAllowed('POST'), endpoint.errors),
      ),
    )
  }

  app.get('/v1/models', (event) =>
    speaksAnthropic(event)
      ? answerLocally(gateway, '/v1/models', event, listAnthropicModels, messagesErrors)
      : answerLocally(gateway, '/v1/models', event, listModels),
  )
  app.all(
    '/v1/models',
    orPreflight((event) =>
      answerLocally(gateway, '/v1/models', event, () => methodNotAllowed('GET'), modelErrors(event)),
    ),
  )
  app.get('/v1/models/**:id', (event) => {
    const findOne = speaksAnthropic(event) ? findAnthropicModel : findModel
    const answer = (sender: Sender, snapshot: CompiledSnapshot): unknown => {
      const name = event.context.params?.['id'] ?? ''
      const id = decoded(name)
      const model = id === null ? null : findOne(sender, snapshot, id)
      if (!model) throw unknownModel(id ?? name)
      return model
    }
    return answerLocally(gateway, '/v1/models/{id}', event, answer, modelErrors(event))
  })
  app.all(
    '/v1/models/**',
    orPreflight((event) =>
      answerLocally(gateway, '/v1/models/{id}', event, () => methodNotAllowed('GET'), modelErrors(event)),
    ),
  )
  app.all(
    '/v1/**',
    orPreflight((event) => passOn(gateway, event)),
  )

  addOperations(app, gateway, membership, access)
  app.all('/**', (event) => {
    event.res.status = 404
    event.res.headers.set('content-type', 'application/json')
    const error = new GatewayError('endpoint_not_found', 'There is nothing here: the API is under /v1.')
    return openAiErrors.body(error, '')
  })
  return app
}

/** What answers a path's other methods, with OPTIONS as browsers send it first. */
function orPreflight(handler: EventHandler): EventHandler {
  return (event) => (isPreflight(event.req) ? answerPreflight(event.req) : handler(event))
}

/** Whether it is a client of Anthropic's API, which has a list of models under the same path as OpenAI's. */
function speaksAnthropic({ req }: H3Event): boolean {
  return req.headers.has('anthropic-version')
}

function modelErrors(event: H3Event): ErrorForm {
  return speaksAnthropic(event) ? messagesErrors : openAiErrors
}

/** A path segment without its percent-encoding; null for one that is malformed. */
function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment)
  } catch {
    return null
  }
}

function methodNotAllowed(allow: string): never {
  throw new GatewayError('method_not_allowed', `This path takes ${allow} only.`, { allow })
}
