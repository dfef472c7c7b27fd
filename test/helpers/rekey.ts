/** `npm run rekey`, as a process. */
import type { ChildProcess } from 'node:child_process'

import { runCommand, type Finished } from './command.ts'

/** @param onLine with each line that it says of its progress */
export function rekey(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  onLine?: (line: string, child: ChildProcess) => void,
): Promise<Finished> {
  return runCommand('rekey', env, args, onLine)
}
