/** Requests of subjects to an alias of two routes, and what became of their bindings. */
import { uniqueName } from '../../helpers/gateway.ts'
import type { Answer } from '../../helpers/http.ts'
import type { Routed } from '../../helpers/routed.ts'
import type { Scene } from '../../helpers/scene.ts'
import type { StoredDecision, StoredSticky } from '../../helpers/stored-record.ts'

export type AB = Routed<'a' | 'b'>

export interface Ask {
  readonly user?: string
  readonly body?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

export const BY_USER = { sticky: { scope: 'USER', ttlSeconds: 600 } } as const

function send(scene: Scene, { model }: AB, { user, body = {}, headers = {} }: Ask): Promise<Answer> {
  return scene.chat(scene.body(model, { ...(user === undefined ? {} : { user }), ...body }), headers)
}

/** Which route has answered. */
export async function routeOf(scene: Scene, routed: AB, ask: Ask): Promise<'a' | 'b'> {
  return routed.by(await send(scene, routed, ask))
}

/** The answer, and the decision that its record holds. */
export async function decide(
  scene: Scene,
  routed: AB,
  ask: Ask,
): Promise<{ answer: Answer; decision: StoredDecision; sticky: StoredSticky }> {
  const id = uniqueName('sticky')
  const answer = await send(scene, routed, { ...ask, headers: { ...ask.headers, 'x-request-id': id } })
  const { decision } = await scene.gateway.record(id)
  if (decision === null) throw new Error('the request was not routed')
  return { answer, decision, sticky: decision.sticky }
}

export const outcome = ({ scope, hit, action }: StoredSticky) => [scope, hit, action]
