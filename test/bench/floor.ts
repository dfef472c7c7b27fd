/**
 * The proxy's floor: its server, its app's framework, its authentication and its reading of bodies, and then bytes that were
 * ready. Run as a process of its own; says {type: 'ready', url, token} and takes one message, the answer to give.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { newId, newSecret, TOKEN_PREFIX } from '@millrace/shared'
import { H3 } from 'h3'
import { toNodeHandler } from 'h3/node'

import { authenticate, projectOf } from '../../packages/proxy/dist/request/authenticate.js'
import { readBody } from '../../packages/proxy/dist/request/body.js'
import { secretOf } from '../../packages/proxy/dist/request/client-headers.js'
import { compileProject, compileToken } from '../../packages/proxy/dist/snapshot/compile-subjects.js'
import type { CompiledSnapshot } from '../../packages/proxy/dist/snapshot/compiled.js'
import { TokenTable } from '../../packages/proxy/dist/snapshot/token-table.js'
import type { FloorAnswer } from './cache-load.ts'

const MAX_BODY_BYTES = 10_485_760
const KEEP_ALIVE_MS = 65_000

const { secret, prefix, digest } = newSecret(TOKEN_PREFIX)
const project = { id: newId(), name: 'floor', active: true, limits: null, budget: null, used: null }
const token = {
  id: newId(),
  name: 'floor',
  projectId: project.id,
  secrets: [{ prefix, digest, until: null }],
  revoked: false,
  expiresAt: null,
  maxRequests: null,
  limits: null,
  budget: null,
  used: null,
  access: null,
}
const tokens = new TokenTable()
tokens.set(compileToken(token, project.id))
/** Of which no more is read. */
const snapshot = { tokens, projects: new Map([[project.id, compileProject(project)]]) } as unknown as CompiledSnapshot
let answer: FloorAnswer = { type: 'answer', headers: [], body: '' }

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  projectOf(authenticate(secretOf(req.headers), snapshot), snapshot)
  await readBody(req, MAX_BODY_BYTES)
  res.writeHead(200, answer.headers as string[])
  res.end(answer.body, 'latin1')
}

const app = new H3({ silent: true, allowMalformedURL: true })
app.post('/v1/chat/completions', (event) => {
  const { req, res } = event.runtime!.node as { req: IncomingMessage; res: ServerResponse }
  void serve(req, res)
  return new Promise(() => {})
})
const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, toNodeHandler(app))
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.send!({ type: 'ready', url: `http://127.0.0.1:${port}`, token: secret })
})
process.on('message', (message: FloorAnswer) => (answer = message))
process.on('disconnect', () => process.exit())
