/** What the operating system says of processes that are not our own children. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

interface Row {
  readonly pid: number
  readonly parent: number
  readonly zombie: boolean
  readonly command: string
}

/** A slim Debian has no ps, macOS has no /proc. */
function table(): Row[] {
  return process.platform === 'linux' ? fromProc() : fromPs()
}

function fromProc(): Row[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // proc(5): pid (command) state ppid …, and the command may hold anything.
        const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return [{ pid: Number(pid), parent: Number(parent), zombie: state === 'Z', command }]
      } catch {
        return [] // It has ended since.
      }
    })
}

function fromPs(): Row[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().match(/^(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/))
    .filter((match) => match !== null)
    .map(([, pid, parent, state, command]) => ({
      pid: Number(pid),
      parent: Number(parent),
      zombie: state!.startsWith('Z'),
      command: command!,
    }))
}

export function childrenOf(pid: number): readonly { readonly pid: number; readonly command: string }[] {
  return table().filter(({ parent, zombie }) => parent === pid && !zombie)
}

export function isAlive(pid: number): boolean {
  return table().some((row) => row.pid === pid && !row.zombie)
}
