/** Memory of a process. */
import { readFileSync } from 'node:fs'

/** Resident megabytes of a process now; null where the system has no /proc. */
export function residentMegabytes(pid: number): number | null {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
  } catch {
    return null
  }
}
