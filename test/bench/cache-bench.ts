/** What the bench of the cache stands on: a proxy with its control plane, providers, and the load generator. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

import { createAlias, createProvider, type AliasOptions } from '../helpers/configuration.ts'
import { startControl, type ControlProcess } from '../helpers/control.ts'
import { send, type Answer } from '../helpers/http.ts'
import { startProcess, type RunningProcess } from '../helpers/process.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { waitFor } from '../helpers/wait.ts'
import { bodyOf, isHeap, type Load, type Target } from './cache-load.ts'
import { cpuTime } from './cpu.ts'
import { ALIAS, PROVIDER_MODEL } from './messages.ts'
import { drained } from './records.ts'

/** Of as many characters as the others, so that all answers are of one length. */
export const HIT = 'bench-cache'
export const MISS = 'bench-missd'
export const SHARE = 'bench-share'
export const STORM = 'bench-storm'

export const pinned =
  process.platform === 'linux' && availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0
export const measured = pinned ? ['taskset', '-c', '0'] : []
const around = pinned ? ['taskset', '-c', '1'] : []
const behind = pinned ? ['nice', '-n', '19', ...around] : []

export class Bench {
  readonly control: ControlProcess
  readonly proxy: RunningProcess
  readonly loader: RunningProcess
  /** A provider of our own, which counts. */
  readonly counting: Upstream
  readonly target: Target

  constructor(control: ControlProcess, proxy: RunningProcess, loader: RunningProcess, counting: Upstream) {
    this.control = control
    this.proxy = proxy
    this.loader = loader
    this.counting = counting
    const settle = (): Promise<void> => drained(control, { url: proxy.ready.url }, 120_000)
    this.target = { port: portOf(proxy), pid: proxy.pid, token: control.token, settle, idle: 0 }
  }

  get chatUrl(): string {
    return `${this.proxy.ready.url}/v1/chat/completions`
  }

  headers(): Record<string, string> {
    return { authorization: `Bearer ${this.control.token}`, 'content-type': 'application/json' }
  }

  ask(load: Pick<Load, 'model' | 'stream' | 'varying'>): Promise<Answer> {
    return send(this.chatUrl, { headers: this.headers(), body: bodyOf(load) })
  }

  async heap(): Promise<{ rss: number; heapUsed: number }> {
    const told = this.proxy.message(isHeap)
    this.proxy.send({ type: 'collect' })
    return told
  }
}

export function portOf(one: RunningProcess): number {
  return Number(new URL(one.ready.url).port)
}

async function idleOf({ pid }: Pick<Target, 'pid'>): Promise<number> {
  const before = cpuTime(pid).used
  await sleep(3_000)
  return (cpuTime(pid).used - before) / 3
}

/** Starts everything. */
export async function startBench(stack: AsyncDisposableStack): Promise<Bench> {
  const env = { MILLRACE_MASTER_KEY: randomBytes(32).toString('base64'), MILLRACE_LOG_LEVEL: 'warn' }
  const counting = stack.use(await startUpstream())
  const upstream = stack.use(await startProcess({ entry: 'test/bench/upstream.ts', prefix: around }))
  const loader = stack.use(await startProcess({ entry: 'test/bench/loader.ts', prefix: around }))
  const control = stack.use(await startControl({ env, prefix: behind }))
  await configure(control, `${upstream.ready.url}/v1`, counting.baseUrl)
  const folder = stack.use(await temporaryFolder())
  const proxy = stack.use(
    await startProcess({
      entry: 'test/bench/collecting-proxy.ts',
      execArgv: ['--max-semi-space-size=16', '--expose-gc'],
      prefix: measured,
      env: {
        ...env,
        MILLRACE_PROXY_PORT: '0',
        MILLRACE_CONTROL_URL: control.url,
        MILLRACE_PROXY_KEY: control.proxyKey,
        MILLRACE_DATA_DIR: folder.path,
      },
    }),
  )
  const bench = new Bench(control, proxy, loader, counting)
  const load = { model: ALIAS, stream: null, varying: false }
  await waitFor(async () => (await bench.ask(load)).status === 200, { timeoutMs: 30_000, what: 'the proxy to serve' })
  bench.target.idle = await idleOf(bench.target)
  return bench
}

async function configure(control: ControlProcess, upstream: string, counting: string): Promise<void> {
  const apiKeys = ['sk-bench-upstream-key']
  const [plain, own] = [
    await createProvider(control, upstream, { name: 'bench', apiKeys }),
    await createProvider(control, counting, { name: 'counting', apiKeys }),
  ]
  const alias = (name: string, provider: string, cache: AliasOptions['cache'] = {}): Promise<string> =>
    createAlias(control, name, [{ provider, providerModel: PROVIDER_MODEL }], { cache })
  await alias(ALIAS, plain)
  await alias(MISS, plain, { enabled: true })
  await alias(SHARE, plain, { coalesce: true })
  await alias(HIT, own, { enabled: true })
  await alias(STORM, own, { enabled: true, coalesce: true })
}
