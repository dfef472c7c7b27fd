/**
 * What a proxy says to the control plane, in that plane's own GraphQL: one API, one set of permissions.
 * The documents stand here so that both sides' tests hold them; the schema is control's.
 */

import type { CacheReport } from './cache.ts'
import type { HealthReport } from './health.ts'
import type { ProviderTest } from './provider-test.ts'

/** Who is speaking: one process of a proxy, from its start to its end. */
export interface ProxyIdentity {
  readonly id: string
  readonly version: string
  readonly startedAt: string
}

/**
 * The configuration, in transfers of one event or more (see snapshot-part.ts): first what a proxy that is at `after` lacks,
 * even if that is nothing, or the whole; then what has changed, of several revisions in one if it was slow.
 */
export const SNAPSHOTS_SUBSCRIPTION = /* GraphQL */ `
  subscription Snapshots($after: SnapshotPositionInput) {
    snapshots(after: $after) {
      revision
      document
    }
  }
`
export interface SnapshotEvent {
  readonly revision: number
  /** A SnapshotPart; parse before trusting. */
  readonly document: unknown
}

/** What was used of quotas and budgets, over all proxies, by the records that are stored. */
export const USED_QUERY = /* GraphQL */ `
  query Used($subjects: [UsedSubjectInput!]!) {
    used(subjects: $subjects) {
      id
      window
      spentUsd
      requests
    }
  }
`
/** Subjects in one call at most. */
export const MAX_USED_SUBJECTS = 1_000

/** A token or a project, and the window of its budget; null: no budget, `spentUsd` is 0. */
export interface UsedSubject {
  readonly id: string
  readonly window: string | null
}
export interface UsedOf extends UsedSubject {
  /** A decimal of at most 12 places, rounded up. */
  readonly spentUsd: string
  /** Those that count towards `maxRequests`, since ever. */
  readonly requests: number
}

export const INGEST_RECORDS_MUTATION = /* GraphQL */ `
  mutation IngestRecords($records: [JSON!]!) {
    ingestRecords(records: $records) {
      stored
      duplicates
      refused
    }
  }
`
/** Records in one call at most. */
export const MAX_INGEST_BATCH = 1_000

export interface IngestResult {
  readonly stored: number
  readonly duplicates: number
  /** Malformed ones: logged by control, not to be sent again. */
  readonly refused: number
}

export const REPORT_PROXY_MUTATION = /* GraphQL */ `
  mutation ReportProxy($report: ProxyReportInput!) {
    reportProxy(report: $report)
  }
`
/** How a proxy does; sent every {@link REPORT_INTERVAL_MS} and after each change of its revision. */
export interface ProxyReport extends ProxyIdentity {
  readonly configRevision: number
  readonly inFlight: number
  readonly requestsPerSecond: number
  readonly recordsQueued: number
  readonly recordsDropped: number
  readonly health: HealthReport
  readonly cache: CacheReport
}
export const REPORT_INTERVAL_MS = 2_000

/**
 * What operators ask of every proxy at once; first what was asked in the last hour, so that it comes again after a reconnect:
 * carried out twice, it does no harm.
 */
export const INSTRUCTIONS_SUBSCRIPTION = /* GraphQL */ `
  subscription Instructions {
    instructions {
      id
      at
      ageMs
      clearStickyBindings {
        aliasId
        key
      }
      purgeCache {
        projectId
        model
      }
    }
  }
`
/** As many, the newest, come again after a reconnect. */
export const MAX_INSTRUCTIONS = 10_000

export interface Instruction {
  readonly id: string
  /** By the database's clock, which need not be a proxy's. */
  readonly at: string
  /** How long ago it was given. */
  readonly ageMs: number
  /** Forget the alias's bindings, or the one of this key, but none that was made since it was given. */
  readonly clearStickyBindings: { readonly aliasId: string; readonly key: string | null } | null
  /** Forget stored answers, but none of a request that came after it was carried out. */
  readonly purgeCache: PurgeScope | null
}

/** Which stored answers: a project's, or those to a model as clients ask for it; both null: all. */
export interface PurgeScope {
  readonly projectId: string | null
  readonly model: string | null
}

/**
 * Tells that a process of a proxy has carried out a `purgeCache`; told again, it counts once. False: control does not know
 * the instruction any more.
 */
export const CARRIED_OUT_MUTATION = /* GraphQL */ `
  mutation CarriedOut($instruction: ID!, $proxy: ID!, $process: ID!, $processes: Int!, $count: Int!) {
    carriedOut(instruction: $instruction, proxy: $proxy, process: $process, processes: $processes, count: $count)
  }
`
export interface CarriedOut {
  readonly instruction: string
  /** As it reports itself. */
  readonly proxy: string
  /** One of the proxy's; it makes up its id. */
  readonly process: string
  /** How many the proxy has: it has carried out the instruction when all of them have. */
  readonly processes: number
  /** How many things are gone by it. */
  readonly count: number
}

/** Whether anybody wants to hear of requests while they are served: at once, and whenever that changes. */
export const LIVE_WANTED_SUBSCRIPTION = /* GraphQL */ `
  subscription LiveWanted {
    liveWanted
  }
`

/** Tells of requests while they are served, as LiveEvents of live.ts. The answer is how many were taken. */
export const REPORT_LIVE_MUTATION = /* GraphQL */ `
  mutation ReportLive($events: [JSON!]!) {
    reportLive(events: $events)
  }
`
/** Events in one call at most. */
export const MAX_LIVE_BATCH = 1_000

/** What is asked of all processes of all proxies, now: nothing of it comes again after a reconnect. */
export const QUESTIONS_SUBSCRIPTION = /* GraphQL */ `
  subscription Questions {
    questions {
      id
      request
      projects
      cancel
      test
    }
  }
`
export interface Question {
  readonly id: string
  /** Of the request of this record id alone; null: which requests are being served? */
  readonly request: string | null
  /** Of these projects alone; null: of any, and of none. */
  readonly projects: readonly string[] | null
  /** End that request. */
  readonly cancel: boolean
  /** Try this, whoever it names; the others say nothing. Null: no provider is to be tried. */
  readonly test: ProviderTest | null
}

/** A process's answer to a question; told again, it counts once. False: nobody waits for it any more. */
export const ANSWER_QUESTION_MUTATION = /* GraphQL */ `
  mutation AnswerQuestion(
    $question: ID!
    $proxy: ID!
    $process: ID!
    $processes: Int!
    $cancelled: Boolean!
    $inFlight: [JSON!]!
    $test: JSON
  ) {
    answerQuestion(
      question: $question
      proxy: $proxy
      process: $process
      processes: $processes
      cancelled: $cancelled
      inFlight: $inFlight
      test: $test
    )
  }
`
export interface QuestionAnswer {
  readonly question: string
  /** As it reports itself. */
  readonly proxy: string
  /** One of the proxy's; it makes up its id. */
  readonly process: string
  /** How many the proxy has. */
  readonly processes: number
  /** Whether the request was this process's, and has been ended by this. */
  readonly cancelled: boolean
  /** InFlights of live.ts, the longest running first: those that are asked for. */
  readonly inFlight: readonly unknown[]
  /** A ProviderTestOutcome, where this process was to try a provider. */
  readonly test?: unknown
}
/** Requests in one answer at most; and in their JSON, about so many bytes. Those that run longest are told. */
export const MAX_IN_FLIGHT = 1_000
export const MAX_IN_FLIGHT_BYTES = 1_048_576

/** What is to be captured, as a DebugCapture of debug.ts: at once, and whenever that changes. */
export const DEBUG_CAPTURES_SUBSCRIPTION = /* GraphQL */ `
  subscription DebugCaptures {
    debugCaptures
  }
`

/** Stores captured exchanges, as DebugExchanges of debug.ts, each once. The answer is how many of them are stored now. */
export const STORE_DEBUG_EXCHANGES_MUTATION = /* GraphQL */ `
  mutation StoreDebugExchanges($exchanges: [JSON!]!) {
    storeDebugExchanges(exchanges: $exchanges)
  }
`
/** Exchanges in one call at most. */
export const MAX_DEBUG_BATCH = 100
