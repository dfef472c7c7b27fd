/** The route table, and nothing else. */
import { GatewayError } from '@millrace/shared'
import { H3 } from 'h3'

import { chatCompletions } from './endpoints/chat-completions.ts'
import { findModel, listModels } from './endpoints/models.ts'
import type { Gateway } from './request/gateway.ts'
import { answerLocally, relay, unknownModel } from './request/handle.ts'
import { errorBody } from './request/render-error.ts'

export function createApp(gateway: Gateway): H3 {
  const app = new H3({ silent: true, allowMalformedURL: true })

  for (const dialect of [chatCompletions]) {
    app.post(dialect.endpoint, (event) => relay(gateway, dialect, event))
    app.all(dialect.endpoint, (event) =>
      answerLocally(gateway, dialect.endpoint, event, () => methodNotAllowed('POST')),
    )
  }

  app.get('/v1/models', (event) =>
    answerLocally(gateway, '/v1/models', event, ({ id }, snapshot) => listModels(snapshot, id)),
  )
  app.all('/v1/models', (event) => answerLocally(gateway, '/v1/models', event, () => methodNotAllowed('GET')))
  app.get('/v1/models/**:id', (event) =>
    answerLocally(gateway, '/v1/models/{id}', event, (project, snapshot) => {
      const name = event.context.params?.['id'] ?? ''
      const id = decoded(name)
      const model = id === null ? null : findModel(snapshot, project.id, id)
      if (!model) throw unknownModel(id ?? name)
      return model
    }),
  )
  app.all('/v1/models/**', (event) => answerLocally(gateway, '/v1/models/{id}', event, () => methodNotAllowed('GET')))
  app.all('/v1/**', (event) => answerLocally(gateway, event.url.pathname, event, () => notFound(event.url.pathname)))

  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', (event) => {
    const { revision, problem } = readiness(gateway)
    event.res.status = problem === null ? 200 : 503
    return { ready: problem === null, revision, problem }
  })
  app.all('/**', (event) => {
    event.res.status = 404
    event.res.headers.set('content-type', 'application/json')
    return errorBody(new GatewayError('endpoint_not_found', 'There is nothing here: the API is under /v1.'))
  })
  return app
}

/** A path segment without its percent-encoding; null for one that is malformed. */
function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment)
  } catch {
    return null
  }
}

function readiness({ configuration, draining }: Gateway): { revision: number | null; problem: string | null } {
  const revision = configuration.current?.revision ?? null
  if (draining) return { revision, problem: 'shutting down' }
  if (revision === null) return { revision, problem: 'no configuration yet' }
  return { revision, problem: configuration.stale() ? 'without the control plane for too long' : null }
}

function methodNotAllowed(allow: string): never {
  throw new GatewayError('method_not_allowed', `This path takes ${allow} only.`, { allow })
}

function notFound(path: string): never {
  throw new GatewayError('endpoint_not_found', `There is no ${path.slice(0, 200)} here.`)
}
