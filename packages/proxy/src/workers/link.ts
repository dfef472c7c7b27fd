/** The two ends of the talk between a primary and a worker. */
import type { Channel } from './channel.ts'
import type { PrimaryNews, PrimaryQuestions, WorkerNews, WorkerQuestions } from './protocol.ts'

/** As a worker has it. */
export type ToPrimary = Channel<WorkerQuestions, WorkerNews>
/** As the primary has it. */
export type ToWorker = Channel<PrimaryQuestions, PrimaryNews>
