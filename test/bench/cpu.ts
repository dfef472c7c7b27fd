/** What a process has used so far, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** Microseconds since a process began. */
export interface CpuTime {
  /** Of CPU that all of its threads have used, in user and kernel mode. */
  readonly used: number
  /** That it could have run but waited for a core. Of a process with several threads null: they wait for each other. */
  readonly waited: number | null
}

/** Linux only. */
export function cpuTime(pid: number): CpuTime {
  let used = 0
  let waited = 0
  // schedstat counts in nanoseconds and one thread at a time; /proc/PID/stat would count in hundredths of a second.
  const threads = readdirSync(`/proc/${pid}/task`)
  for (const thread of threads) {
    const [running, waiting] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    used += Number(running)
    waited += Number(waiting)
  }
  return { used: used / 1_000, waited: threads.length === 1 ? waited / 1_000 : null }
}

/** The most memory that a process ever held, in MB. */
export function peakMegabytes(pid: number): number {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(peak?.[1] ?? 0) / 1_024
}
