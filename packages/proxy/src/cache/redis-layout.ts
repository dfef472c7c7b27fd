/** Where what stands in Redis. */
import { hash } from 'node:crypto'

import type { PurgeScope } from '@millrace/shared'

import type { AnswerScope } from './store.ts'

const PREFIX = 'millrace:cache:'

/** A hash: how many purges there were, and of each scope which was its last. */
export const PURGED = `${PREFIX}purged`
/** Of {@link PURGED}: which of its lives it is. It may be lost, and what it said then must not hold again. */
export const LIFE = 'life'
/** Of {@link PURGED}: how many there were. */
export const COUNT = 'count'

/** Set once an instruction is carried out, so that it is not again. */
export function doneKey(instructionId: string): string {
  return `${PREFIX}done:${instructionId}`
}

export function answerKey({ projectId, model }: AnswerScope, key: string): string {
  return `${PREFIX}${projectId}:${modelHash(model)}:${key}`
}

/** A glob of the keys of all answers that a purge means. */
export function answerKeys({ projectId, model }: PurgeScope): string {
  return `${PREFIX}${projectId === null ? '*' : literal(projectId)}:${model === null ? '*' : modelHash(model)}:*`
}

/** Of {@link PURGED}: of this scope. */
export function scopeField({ projectId, model }: PurgeScope): string {
  if (model === null) return projectId === null ? 'all' : `p:${projectId}`
  return projectId === null ? `m:${modelHash(model)}` : `b:${projectId}:${modelHash(model)}`
}

/** Of {@link PURGED}: all that mean answers of this scope. */
export function meaningFields({ projectId, model }: AnswerScope): string[] {
  const project = `p:${projectId}`
  const hashed = modelHash(model)
  return [LIFE, 'all', project, `m:${hashed}`, `b:${projectId}:${hashed}`]
}

/** A model may be of any characters and length. */
function modelHash(model: string): string {
  return hash('sha256', model, 'base64url').slice(0, 22)
}

function literal(text: string): string {
  return text.replace(/[\\*?[\]]/g, String.raw`\$&`)
}
