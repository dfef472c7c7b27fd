/** Whether requests can be served. */
import type { LimitsBackend } from './limits/limits.ts'

/** One process's. */
export interface Readiness {
  /** The configuration's that it serves by; null: none yet. */
  readonly revision: number | null
  /** Why requests can't be served; null: they can. */
  readonly problem: string | null
  /** Where limits are counted now. */
  readonly limits: LimitsBackend
}

/** That of all processes that are one proxy. */
export interface ProxyReadiness extends Readiness {
  readonly workers: { readonly ready: number; readonly of: number }
}

/**
 * Puts together how the workers of a proxy stand: it is ready once all of them are.
 * @param known one each, but for those that have not answered
 * @param of how many there should be
 */
export function mergeReadiness(known: readonly Readiness[], of: number): ProxyReadiness {
  const revisions = known.map(({ revision }) => revision).filter((revision) => revision !== null)
  const ready = known.filter(({ problem }) => problem === null).length
  const problem = known.find((one) => one.problem !== null)?.problem
  return {
    revision: revisions.length === 0 ? null : Math.min(...revisions),
    problem: ready === of ? null : (problem ?? `${ready} of ${of} workers are ready`),
    limits: known.find(({ limits }) => limits !== 'redis')?.limits ?? known[0]?.limits ?? 'local',
    workers: { ready, of },
  }
}
