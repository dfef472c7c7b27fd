/** The data plane, put together: owns everything that has to be started and stopped. */
import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { newId, SettingsError, type ProxyIdentity, type Settings } from '@millrace/shared'
import { toNodeHandler } from 'h3/node'
import type { Logger } from 'pino'

import { createApp } from './app.ts'
import { WaitingRoom } from './concurrency/waiting-room.ts'
import { ControlClient } from './control/client.ts'
import { Instructions } from './control/instructions.ts'
import { Rate } from './control/rate.ts'
import { Reporter } from './control/reporter.ts'
import { BreakerHints } from './health/breaker-hints.ts'
import { Health } from './health/health.ts'
import type { ProviderHealth } from './health/provider-health.ts'
import { masterKeyOf, proxyKeyOf } from './keys.ts'
import { createRecordQueue, RecordSender } from './records/sender.ts'
import { Redis } from './redis/redis.ts'
import type { Gateway } from './request/gateway.ts'
import { abandon } from './request/handle.ts'
import { Slots } from './slots.ts'
import { Configuration } from './snapshot/configuration.ts'
import { SnapshotFile } from './snapshot/file.ts'
import { SnapshotSubscription } from './snapshot/subscription.ts'
import { StickyBindings } from './sticky/bindings.ts'
import { Deadlines } from './upstream/deadlines.ts'
import { Pools } from './upstream/pools.ts'

/** Bytes of records kept while the control plane is away; a record has about a thousand. */
const MOST_QUEUED = 33_554_432
/** How long the last records may take to be stored before the process ends. */
const FLUSH_MS = 5_000
/** Idle client connections live longer than the minute that load balancers keep theirs, so that the gateway never closes first. */
const KEEP_ALIVE_MS = 65_000

export class ProxyService {
  private readonly settings: Settings
  private readonly log: Logger
  private readonly identity: ProxyIdentity
  private readonly pools: Pools
  private readonly health: Health
  private readonly redis: Redis | null
  private readonly hints: BreakerHints | null
  private readonly control: ControlClient
  private readonly file: SnapshotFile
  private readonly sender: RecordSender
  private readonly subscription: SnapshotSubscription
  private readonly reporter: Reporter
  private readonly gateway: Gateway
  private readonly server: Server
  private readonly rate = new Rate()
  private following: Promise<void> = Promise.resolve()

  /** @throws SettingsError if a setting cannot be used */
  constructor(settings: Settings, version: string, log: Logger) {
    this.settings = settings
    this.log = log
    this.identity = { id: newId(), version, startedAt: new Date().toISOString() }
    const masterKey = masterKeyOf(settings)
    this.control = new ControlClient(settings.MILLRACE_CONTROL_URL, proxyKeyOf(settings))
    makeDataDir(settings.MILLRACE_DATA_DIR)

    const deadlines = new Deadlines()
    const waitingRoom = new WaitingRoom(deadlines)
    this.redis = settings.MILLRACE_REDIS_URL === undefined ? null : new Redis(settings.MILLRACE_REDIS_URL, log)
    this.hints = this.redis && new BreakerHints(this.redis, this.identity.id)
    this.health = new Health(
      (provider) => this.breakerChanged(provider),
      (provider) => waitingRoom.freed(provider),
    )
    this.pools = new Pools(settings.MILLRACE_PRIVATE_UPSTREAMS)
    this.file = new SnapshotFile(settings.MILLRACE_DATA_DIR, log)
    const { pools, health } = this
    const context = { pools, health, masterKey, env: process.env, envAllow: settings.MILLRACE_ENV_ALLOW, log }
    const configuration = new Configuration(context, this.file, settings.MILLRACE_MAX_STALE_SECONDS)
    const records = createRecordQueue(MOST_QUEUED)
    const sticky = new StickyBindings(this.redis)
    this.gateway = {
      proxyId: this.identity.id,
      configuration,
      records,
      deadlines,
      waitingRoom,
      sticky,
      log,
      maxBodyBytes: settings.MILLRACE_MAX_BODY_BYTES,
      active: new Slots(),
      served: 0,
      draining: false,
    }
    this.sender = new RecordSender(records, this.control, log)
    this.reporter = new Reporter(this.control, () => this.report(), log)
    this.subscription = new SnapshotSubscription(this.control, configuration, log, {
      taken: () => void this.reporter.send(),
      connected: new Instructions(sticky, log),
    })
    this.server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, toNodeHandler(createApp(this.gateway)))
  }

  /**
   * Begins to serve: from the snapshot on disk at once, if there is one, and from the control plane's as soon as it comes.
   * @returns the address that it listens on
   * @throws SettingsError if it can't listen there
   */
  async start(): Promise<string> {
    this.redis?.start()
    this.hints?.listen(this.health)
    await this.gateway.configuration.restore()
    const url = await this.listen()
    this.following = this.subscription.run()
    this.sender.start()
    return url
  }

  /** Refuses new requests, lets those in flight finish for as long as the settings allow, sends the last records, and stops. */
  async stop(): Promise<void> {
    const { active } = this.gateway
    this.gateway.draining = true
    this.log.info({ inFlight: active.size }, 'draining')
    const until = performance.now() + this.settings.MILLRACE_DRAIN_SECONDS * 1000
    while (active.size > 0 && performance.now() < until) await delay(50)
    if (active.size > 0) {
      this.log.warn({ cut: active.size }, 'requests were cut off: the time to drain is over')
      active.forEach(abandon)
      await delay(100)
    }
    this.server.close()
    this.server.closeAllConnections()
    this.reporter.stop()
    await this.sender.finish(FLUSH_MS)
    this.subscription.stop()
    await this.following
    await this.file.flush()
    this.gateway.deadlines.stop()
    this.redis?.close()
    await Promise.all([this.pools.destroy(), this.control.close()])
  }

  private listen(): Promise<string> {
    const { MILLRACE_HOST: host, MILLRACE_PROXY_PORT: port } = this.settings
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new SettingsError(
          error.code === 'EADDRINUSE' || error.code === 'EACCES' ? 'MILLRACE_PROXY_PORT' : 'MILLRACE_HOST',
          `cannot listen on ${host}:${port} (${error.code ?? error.message})`,
        ),
      )
    })
    this.server.listen(port, host, () => {
      const { port: actual } = this.server.address() as AddressInfo
      resolve(`http://${reachable(host)}:${actual}`)
    })
    return promise
  }

  private report() {
    const { configuration, active, records, served } = this.gateway
    return {
      ...this.identity,
      configRevision: configuration.current?.revision ?? 0,
      inFlight: active.size,
      requestsPerSecond: this.rate.of(served),
      recordsQueued: records.length,
      recordsDropped: records.dropped,
      health: this.health.report(),
    }
  }

  /** Said at once, to operators and to other proxies: both would otherwise wait for it. */
  private breakerChanged(provider: ProviderHealth): void {
    const { breaker, id } = provider
    this.log.warn({ provider: id }, breaker.openedAt === null ? 'breaker closed' : 'breaker open')
    this.hints?.tell(provider)
    void this.reporter.send()
  }
}

/** How this machine reaches itself there; an IPv6 address in brackets. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** @throws SettingsError if the folder can't be made */
function makeDataDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new SettingsError('MILLRACE_DATA_DIR', `${path} cannot be used (${(error as NodeJS.ErrnoException).code})`)
  }
}
