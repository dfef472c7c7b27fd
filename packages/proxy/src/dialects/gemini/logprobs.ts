import type { TokenLogprob } from '../../canonical/answer.ts'
import { listOf, numberOf, objectOf, textOf } from '../../canonical/values.ts'

type Alternative = Omit<TokenLogprob, 'top'>

/** Reads `logprobsResult`. @returns null: there is none */
export function readLogprobs(value: unknown): readonly TokenLogprob[] | null {
  const { chosenCandidates, topCandidates } = objectOf(value)
  if (!Array.isArray(chosenCandidates)) return null
  const tops = listOf(topCandidates)
  return chosenCandidates.map((chosen, i) => ({
    ...logprobOf(chosen),
    top: listOf(objectOf(tops[i])['candidates']).map(logprobOf),
  }))
}

function logprobOf(value: unknown): Alternative {
  const { token, logProbability } = objectOf(value)
  const text = textOf(token)
  return { token: text, logprob: numberOf(logProbability) ?? 0, bytes: [...Buffer.from(text)] }
}
