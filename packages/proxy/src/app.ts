/** The route table, and nothing else. */
import { GatewayError } from '@millrace/shared'
import { H3, type EventHandler } from 'h3'

import { answerPreflight, isPreflight } from './access/cors.ts'
import { openAiErrors } from './dialects/chat/errors.ts'
import { ENDPOINTS } from './endpoints/index.ts'
import { findModel, listModels } from './endpoints/models.ts'
import type { Membership } from './membership.ts'
import type { MetricsAccess } from './metrics/access.ts'
import { addOperations } from './operations.ts'
import { passOn } from './passthrough/serve.ts'
import type { Gateway } from './request/gateway.ts'
import { answerLocally, relay, unknownModel } from './request/handle.ts'

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
    answerLocally(gateway, '/v1/models', event, (sender, snapshot) => listModels(sender, snapshot)),
  )
  app.all(
    '/v1/models',
    orPreflight((event) => answerLocally(gateway, '/v1/models', event, () => methodNotAllowed('GET'))),
  )
  app.get('/v1/models/**:id', (event) =>
    answerLocally(gateway, '/v1/models/{id}', event, (sender, snapshot) => {
      const name = event.context.params?.['id'] ?? ''
      const id = decoded(name)
      const model = id === null ? null : findModel(sender, snapshot, id)
      if (!model) throw unknownModel(id ?? name)
      return model
    }),
  )
  app.all(
    '/v1/models/**',
    orPreflight((event) => answerLocally(gateway, '/v1/models/{id}', event, () => methodNotAllowed('GET'))),
  )
  for (const method of ['GET', 'HEAD'] as const) app.on(method, '/v1/**', (event) => passOn(gateway, event))
  app.all(
    '/v1/**',
    orPreflight((event) => answerLocally(gateway, event.url.pathname, event, () => notFound(event.url.pathname))),
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

function notFound(path: string): never {
  throw new GatewayError('endpoint_not_found', `There is no ${path.slice(0, 200)} here.`)
}
