/**
 * Questions to proxies, and their answers, on their way between control processes: a proxy need not be connected to the one
 * that asks.
 */
import { PROVIDER_TEST_MS, type ProviderTest, type Question, type QuestionAnswer } from '@millrace/shared'

import type { Database, Em } from '../db/database.ts'
import { ONLINE_SECONDS } from '../proxies/online.ts'

/** The channel on which it is announced that something is asked. */
export const QUESTION_CHANNEL = 'millrace_question'
/** The channel on which it is announced that there is an answer. */
export const ANSWER_CHANNEL = 'millrace_answer'

/** What is older is asked of nobody any more: nobody waits for longer. */
const ASKED_SECONDS = 3
/** Rows are kept for longer than anybody could still need them: who tries a provider answers late. */
const KEPT_SECONDS = (2 * PROVIDER_TEST_MS) / 1_000

const ASK = `
  with asked as (
    insert into proxy_question (id, asker, request_id, projects, cancel, test)
    values (?, ?, ?, ?::uuid[], ?, ?) returning 1
  ),
  announced as (select pg_notify(?, '') from asked)
  select array(
    select id::text from proxy_instance where last_seen_at >= now() - make_interval(secs => ?)
  ) as online, (select count(*) from announced) as announced`

/**
 * Writes a question, and announces it.
 * @param asker the control process that waits for answers
 * @returns the proxies that are online
 */
export async function writeQuestion(
  em: Em,
  asker: string,
  { id, request, projects, cancel, test }: Question,
): Promise<string[]> {
  const only = projects && `{${projects.join(',')}}`
  const values = [id, asker, request, only, cancel, test && JSON.stringify(test), QUESTION_CHANNEL, ONLINE_SECONDS]
  const [row] = await em.execute<{ online: string[] }[]>(ASK, values)
  return row!.online
}

interface QuestionRow extends Omit<Question, 'test'> {
  /** JSON. */
  readonly test: string | null
}

const ASKED = `
  select id, request_id as request, projects::text[] as projects, cancel, test from proxy_question
  where asker <> ? and at > clock_timestamp() - make_interval(secs => ?)`

/** What other control processes have asked just now. */
export async function questionsOfOthers(database: Database, asker: string): Promise<Question[]> {
  const rows = await database.em().execute<QuestionRow[]>(ASKED, [asker, ASKED_SECONDS])
  return rows.map((row) => ({ ...row, test: row.test === null ? null : (JSON.parse(row.test) as ProviderTest) }))
}

const ANSWER = `
  with question as (select id from proxy_question where id = ? and asker <> ?),
    answered as (
      insert into proxy_answer (question_id, proxy_id, process_id, processes, cancelled, in_flight, test)
      select id, ?, ?, ?, ?, ?, ? from question
      on conflict do nothing
      returning 1
    ),
    announced as (select pg_notify(?, '') from answered)
  select exists (select from question) as known, (select count(*) from announced) as announced`

/** @returns whether another control process than this one has asked it */
export async function writeAnswer(
  database: Database,
  asker: string,
  { question, proxy, process, processes, cancelled, inFlight, test }: QuestionAnswer,
): Promise<boolean> {
  const list = JSON.stringify(inFlight)
  const outcome = test == null ? null : JSON.stringify(test)
  const values = [question, asker, proxy, process, processes, cancelled, list, outcome, ANSWER_CHANNEL]
  const [row] = await database.em().execute<{ known: boolean }[]>(ANSWER, values)
  return row!.known
}

interface AnswerRow extends Omit<QuestionAnswer, 'inFlight' | 'test'> {
  /** JSON. */
  readonly inFlight: string
  /** JSON. */
  readonly test: string | null
}

const TAKE = `
  delete from proxy_answer where question_id = any(?::uuid[])
  returning question_id as question, proxy_id as proxy, process_id as process, processes, cancelled,
    in_flight as "inFlight", test`

/** Takes the answers to these questions: each once. */
export async function takeAnswers(database: Database, questions: readonly string[]): Promise<QuestionAnswer[]> {
  const rows = await database.em().execute<AnswerRow[]>(TAKE, [`{${questions.join(',')}}`])
  return rows.map((row) => ({
    ...row,
    inFlight: JSON.parse(row.inFlight) as unknown[],
    test: row.test === null ? null : JSON.parse(row.test),
  }))
}

/** Deletes those that nobody needs any more, with their answers. */
export async function forgetQuestions(database: Database): Promise<void> {
  const old = 'delete from proxy_question where at < clock_timestamp() - make_interval(secs => ?)'
  await database.em().execute(old, [KEPT_SECONDS])
}
