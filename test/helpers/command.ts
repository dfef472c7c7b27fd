/** A command of the control plane, as a process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { cleanEnvironment, endWithThisProcess, held } from './process.ts'

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * @param name of its file: `rekey`
 * @param onLine with each line that it says of its progress
 */
export function runCommand(
  name: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  onLine: (line: string, child: ChildProcess) => void = () => {},
): Promise<Finished> {
  const entry = fileURLToPath(new URL(`../../packages/control/dist/${name}.js`, import.meta.url))
  const child = spawn(process.execPath, [entry, ...args], {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endWithThisProcess(child)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    for (const line of chunk.trimEnd().split('\n')) onLine(line, child)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  return held(new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr }))))
}
