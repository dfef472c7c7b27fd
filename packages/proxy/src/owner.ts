/** Whose a file or folder is, by its name: so that what a dead process left is found, and what a living one uses is left alone. */
import { hash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** An owner on another machine, or in another container, is heard of by what it owns alone, which it touches each second. */
const SILENCE_MS = 10_000
const NAME = /^(([0-9a-f]{12})-(\d+)-(\d+))-[0-9a-f]{8}$/

/** Where process ids mean the same: one machine, since it started, and one container. */
const HERE = hash(
  'sha256',
  [hostname(), attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')), attempt(pidSpace)].join('\n'),
).slice(0, 12)
const OWNER = `${HERE}-${process.pid}-${startOf(process.pid)}`

/** A new name for something of this process's. */
export function newOwnName(): string {
  return `${OWNER}-${randomBytes(4).toString('hex')}`
}

/** Whether this is such a name, and its owner is dead. @param mtimeMs of what has the name */
export function isOrphaned(name: string, mtimeMs: number): boolean {
  const [, owner, host, pid, start] = NAME.exec(name) ?? []
  if (owner === undefined || owner === OWNER) return false
  if (host !== HERE) return Date.now() - mtimeMs > SILENCE_MS
  return !runs(Number(pid)) || startOf(Number(pid)) !== start
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When a process began, in ticks since the machine's start, on Linux; elsewhere 0: ids are not used again soon there. Empty: it has ended. */
function startOf(pid: number): string {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The name of the command, in brackets, may contain anything; see proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie: it has ended, and nobody has asked how. In a container that may be so for ever.
  return fields[0] === 'Z' ? '' : (fields[19] ?? '0')
}

function pidSpace(): string {
  return readlinkSync('/proc/self/ns/pid')
}

function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
