import { wholeNumber, type CarriedOut, type PurgeScope } from '@millrace/shared'
import * as z from 'zod'

import { requireGoodKey } from '../access/good-key.ts'
import { ownersOf } from '../access/scope.ts'
import { scoped } from '../access/scoped.ts'
import { writeAuditEvent, type AuditedAction } from '../audit/write.ts'
import type { Database, Em } from '../db/database.ts'
import { storable } from '../db/storable.ts'
import { idText, readInput, searchText } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import { Project } from '../projects/project.entity.ts'
import type { Actor } from '../revisions/change.ts'
import type { PurgeCacheInput } from './cache.type.ts'
import type { PurgeWaiting } from './purge-waiting.ts'
import { forgetPurges, noteDone, writePurge } from './purges.ts'

/** As large as GraphQL's Int can be. */
const LARGEST = 2_147_483_647
const MOST_PROCESSES = 1_000

const purgeInput = z
  .object({
    all: z.literal(true, 'must be true, or left out').nullish(),
    project: z.string().nullish(),
    model: searchText.min(1, 'must not be empty').nullish(),
  })
  .refine(
    (input) => Object.values(input).filter((given) => given != null).length === 1,
    'must have exactly one of all, project and model',
  )

const processesOfProxy = wholeNumber(1, MOST_PROCESSES)
const countOfAnswers = wholeNumber(0, LARGEST)

/** What is to be purged, and how an audit event tells of it. */
interface Meant extends Pick<AuditedAction, 'subject' | 'details'> {
  readonly scope: PurgeScope
}

/** Has stored answers forgotten, by every proxy. */
export class PurgeService {
  readonly #database: Database
  readonly #waiting: PurgeWaiting

  constructor(database: Database, waiting: PurgeWaiting) {
    this.#database = database
    this.#waiting = waiting
  }

  /**
   * Resolves when every proxy that is online has carried it out, or has had its time to.
   * @returns how many answers went, as far as proxies have told by then
   * @throws GraphQLError BAD_USER_INPUT; NOT_FOUND for a project that there is not, or that is out of reach; FORBIDDEN where
   * more is meant than the key's own
   */
  async purge(actor: Actor, given: PurgeCacheInput): Promise<number> {
    const input = readInput(purgeInput, given)
    const id = await this.#database.em().transactional(async (em) => {
      await requireGoodKey(em, actor)
      const { scope, subject, details } = await meant(scoped(em, actor.scope), input)
      actor.scope.requireOwn(ownersOf(scope.projectId))
      const written = await writePurge(em, scope)
      await writeAuditEvent(em, actor, { action: 'purgeCache', subject, projectId: scope.projectId, details })
      return written
    })
    return Math.min(LARGEST, await this.#waiting.until(id))
  }

  /**
   * Takes what a process of a proxy tells.
   * @returns whether the instruction is known
   * @throws GraphQLError BAD_USER_INPUT
   */
  async note(given: CarriedOut): Promise<boolean> {
    return noteDone(this.#database, {
      instruction: readInput(idText, given.instruction, 'instruction'),
      proxy: readInput(idText, given.proxy, 'proxy'),
      process: readInput(idText, given.process, 'process'),
      processes: readInput(processesOfProxy, given.processes, 'processes'),
      count: readInput(countOfAnswers, given.count, 'count'),
    })
  }

  /** Deletes what is not needed any longer. */
  tidy(): Promise<void> {
    return forgetPurges(this.#database)
  }
}

/** @param em in which what is out of the actor's reach is not there */
async function meant(em: Em, { project, model }: z.output<typeof purgeInput>): Promise<Meant> {
  if (project != null) {
    const { id, name } = await requireRow(em, Project, project, 'project', 'input.project')
    return { scope: { projectId: id, model: null }, subject: `project ${name}`, details: { project: id } }
  }
  if (model == null) return { scope: { projectId: null, model: null }, subject: 'all answers', details: { all: true } }
  const name = storable(model)
  return { scope: { projectId: null, model: name }, subject: `model ${name}`, details: { model: name } }
}
