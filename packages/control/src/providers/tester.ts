import { newId, PROVIDER_TEST_MS, untriedProvider, type ProviderTestOutcome } from '@millrace/shared'

import { requireGoodKey } from '../access/good-key.ts'
import { writeAuditEvent } from '../audit/write.ts'
import type { Database, Em } from '../db/database.ts'
import { badInput } from '../graphql/errors.ts'
import { lineOfText, readInput } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import type { Questions } from '../inflight/questions.ts'
import type { Actor } from '../revisions/change.ts'
import { Provider } from './provider.entity.ts'

/** For a proxy to take a revision up, and to tell how it went. */
const GRACE_MS = 6_000
const LONGEST_MODEL = 200

const modelName = lineOfText(LONGEST_MODEL)

/** Of its routes the first that would be tried and names one; one that leaves it to an alias has the alias's name. */
const MODEL_OF_ROUTE = `
  select coalesce(route.provider_model, alias.name) as model
  from route join alias on alias.id = route.alias_id
  where route.provider_id = ? and right(coalesce(route.provider_model, alias.name), 1) <> '*'
  order by route.enabled and alias.enabled desc, route.priority, alias.name, route.position
  limit 1`

/** Has providers tried by the proxies that send them requests: only these have their keys. */
export class ProviderTester {
  readonly #database: Database
  readonly #questions: Questions

  constructor(database: Database, questions: Questions) {
    this.#database = database
    this.#questions = questions
  }

  /**
   * @param given the provider's own name of the model; null: that of one of its routes
   * @throws GraphQLError NOT_FOUND, FORBIDDEN, BAD_USER_INPUT
   */
  async test(actor: Actor, id: string, given: string | null): Promise<ProviderTestOutcome> {
    const em = this.#database.em()
    const provider = await requireRow(em, Provider, id, 'provider')
    // It is paid for with keys that are no project's.
    actor.scope.requireOwn(null)
    const model = await modelFor(em, provider, given)
    const nobody = { request: newId(), projects: [], cancel: false }
    const [first] = await this.#questions.ask({ ...nobody, test: null }, { isEnough: () => true })
    if (first === undefined) return untriedProvider('no proxy is connected that could ask it')
    const [row] = await em.execute<{ revision: number }[]>('select max(number) as revision from config_revision')
    const test = { process: first.process, provider: provider.id, model, revision: row!.revision }
    const answers = await this.#questions.ask(
      { ...nobody, test },
      {
        isEnough: (answer) => answer.test !== null,
        proxies: [first.proxy],
        waitMs: PROVIDER_TEST_MS + GRACE_MS,
        within: (work) => this.#audited(actor, provider, model, work),
      },
    )
    const told = answers.find((answer) => answer.test !== null)?.test
    return told ?? untriedProvider(`proxy ${first.proxy} has not told how it went`)
  }

  /** What is spent is known, and audited, before it is. */
  #audited<T>(actor: Actor, provider: Provider, model: string, work: (em: Em) => Promise<T>): Promise<T> {
    return this.#database.em().transactional(async (em) => {
      await requireGoodKey(em, actor)
      await writeAuditEvent(em, actor, {
        action: 'testProvider',
        subject: `provider ${provider.name}`,
        projectId: null,
        details: { model },
      })
      return work(em)
    })
  }
}

async function modelFor(em: Em, { id, kind }: Provider, given: string | null): Promise<string> {
  if (given !== null) return readInput(modelName, given, 'model')
  const [row] = await em.execute<{ model: string }[]>(MODEL_OF_ROUTE, [id])
  if (row !== undefined) return row.model
  // It has any model that it is asked for.
  if (kind === 'SIMULATED') return 'simulated'
  throw badInput('model', 'is needed: none of its routes names one')
}
