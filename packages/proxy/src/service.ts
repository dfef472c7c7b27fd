/** The data plane, put together: owns everything that has to be started and stopped. */
import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

import { newId, type PurgeScope, type Settings } from '@millrace/shared'
import { toNodeHandler } from 'h3/node'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'

import { FailedKeys } from './access/failed-keys.ts'
import { Revocations } from './access/revocations.ts'
import { createApp } from './app.ts'
import { CACHE_DEADLINE_MS, openCache } from './cache/cache.ts'
import { HttpCache } from './cache/http/http-cache.ts'
import { ClientServer } from './client-server.ts'
import { WaitingRoom } from './concurrency/waiting-room.ts'
import { ControlClient } from './control/client.ts'
import { ControlLink } from './control/control-link.ts'
import { Instructions } from './control/instructions.ts'
import { LiveWanted } from './control/live-wanted.ts'
import { ProviderTests } from './control/provider-tests.ts'
import { Questions } from './control/questions.ts'
import { Rate } from './control/rate.ts'
import { DebugCaptures } from './debug/captures.ts'
import { ENDPOINTS } from './endpoints/index.ts'
import { BreakerHints, type HintBus } from './health/breaker-hints.ts'
import { Health } from './health/health.ts'
import type { ProviderHealth } from './health/provider-health.ts'
import { RedisHints } from './health/redis-hints.ts'
import { masterKeysOf, proxyKeyOf } from './keys.ts'
import { LIMITS_DEADLINE_MS, openLimits } from './limits/open.ts'
import type { LimitsUpkeep } from './limits/upkeep.ts'
import { LiveEvents } from './live/live-events.ts'
import type { Member, Membership } from './membership.ts'
import { MetricsAccess } from './metrics/access.ts'
import { proxyMetrics, type MetricsJson } from './metrics/metrics.ts'
import { RequestMetrics } from './metrics/requests.ts'
import { readinessOf, type Readiness } from './readiness.ts'
import type { RecordQueue } from './records/queue.ts'
import { createRecordQueue, FLUSH_MS, MOST_QUEUED, RecordSender } from './records/sender.ts'
import { Redis } from './redis/redis.ts'
import { cut } from './request/cut.ts'
import { expectBody } from './request/expected.ts'
import { Flights } from './request/flights.ts'
import type { Gateway } from './request/gateway.ts'
import { abandon } from './request/handle.ts'
import { Slots } from './slots.ts'
import { Configuration } from './snapshot/configuration.ts'
import { SnapshotFile } from './snapshot/file.ts'
import { SnapshotSubscription } from './snapshot/subscription.ts'
import { StickyBindings } from './sticky/bindings.ts'
import { openTracing } from './tracing/open.ts'
import { Deadlines } from './upstream/deadlines.ts'
import { Pools } from './upstream/pools.ts'

/** Idle client connections live longer than the minute that load balancers keep theirs, so that the gateway never closes first. */
const KEEP_ALIVE_MS = 65_000

/** Turns of the event loop that a stopping process waits for what it has cut off. */
const MOST_TURNS = 100

/** One process of the data plane. */
export class ProxyService implements Member {
  private readonly settings: Settings
  private readonly log: Logger
  private readonly membership: Membership
  private readonly pools: Pools
  private readonly health: Health
  private readonly redis: Redis | null
  private readonly hints: BreakerHints
  readonly control: ControlClient
  readonly records: RecordQueue
  private readonly file: SnapshotFile
  private readonly sender: RecordSender
  private readonly subscription: SnapshotSubscription
  private readonly gateway: Gateway
  private readonly limitsRedis: Redis | null
  private readonly cacheRedis: Redis | null
  private readonly limitsUpkeep: LimitsUpkeep
  private readonly revocations: Revocations | null
  private readonly server: Server
  private readonly registry: Registry
  private readonly link = new ControlLink()
  private readonly rate = new Rate()
  private starting: Promise<string> | null = null
  private following: Promise<void> = Promise.resolve()

  /** @throws SettingsError if a setting cannot be used */
  constructor(settings: Settings, membership: Membership, log: Logger) {
    this.settings = settings
    this.membership = membership
    this.log = log
    const masterKeys = masterKeysOf(settings)
    this.control = new ControlClient(settings.MILLRACE_CONTROL_URL, proxyKeyOf(settings))

    const deadlines = new Deadlines()
    const waitingRoom = new WaitingRoom(deadlines, membership.workers)
    this.redis = settings.MILLRACE_REDIS_URL === undefined ? null : new Redis(settings.MILLRACE_REDIS_URL, log)
    this.hints = new BreakerHints(hintBuses(this.redis, membership), newId())
    this.health = new Health(
      (provider) => this.breakerChanged(provider),
      (provider) => waitingRoom.freed(provider),
      membership.places,
    )
    this.pools = new Pools(settings.MILLRACE_PRIVATE_UPSTREAMS)
    this.file = new SnapshotFile(settings.MILLRACE_DATA_DIR, log, membership.writesSnapshot)
    const { pools, health } = this
    const context = { pools, health, masterKeys, env: process.env, envAllow: settings.MILLRACE_ENV_ALLOW, log }
    const configuration = new Configuration(context, this.file, settings.MILLRACE_MAX_STALE_SECONDS)
    const records = createRecordQueue(Math.floor(MOST_QUEUED / membership.workers))
    this.records = records
    const sticky = new StickyBindings(this.redis, membership.bindings)
    // A connection of its own: what is asked for bindings makes no limit wait, nor its slowness a limit local.
    this.limitsRedis =
      this.redis && new Redis(settings.MILLRACE_REDIS_URL!, log.child({ for: 'limits' }), LIMITS_DEADLINE_MS)
    const { limits, upkeep } = openLimits({
      local: membership.limits,
      redis: this.limitsRedis,
      refuses: settings.MILLRACE_LIMITS_WITHOUT_REDIS === 'refuse',
      control: this.control,
      records,
      log,
    })
    this.limitsUpkeep = upkeep
    // Another of its own: answers are long, and nothing else waits behind them.
    this.cacheRedis =
      this.redis && new Redis(settings.MILLRACE_REDIS_URL!, log.child({ for: 'cache' }), CACHE_DEADLINE_MS)
    const cache = openCache({
      bytes: Math.floor(settings.MILLRACE_CACHE_BYTES / membership.workers),
      redis: this.cacheRedis,
      log,
    })
    this.gateway = {
      proxyId: membership.identity.id,
      configuration,
      records,
      deadlines,
      waitingRoom,
      sticky,
      limits,
      cache,
      httpCache: new HttpCache(cache.room, cache.purges),
      flights: new Flights(),
      failedKeys: new FailedKeys(),
      live: new LiveEvents(this.control),
      debug: new DebugCaptures(this.control, log),
      metrics: new RequestMetrics(),
      tracing: null,
      trustedProxies: settings.MILLRACE_TRUSTED_PROXIES,
      log,
      maxBodyBytes: settings.MILLRACE_MAX_BODY_BYTES,
      active: new Slots(),
      served: 0,
      draining: false,
    }
    this.revocations = settings.MILLRACE_REVOKED_STREAMS === 'cut' ? new Revocations(this.gateway, cut) : null
    this.sender = new RecordSender(records, this.control, settings, log)
    this.sender.beforeBatch = () => this.gateway.live.flush()
    this.subscription = new SnapshotSubscription(this.control, configuration, log, {
      taken: () => membership.report(),
      connected: [
        this.link,
        new Instructions({ sticky, cache: this, control: this.control, membership, log }),
        new LiveWanted(this.gateway.live),
        new Questions({
          active: this.gateway.active,
          tests: new ProviderTests(configuration, deadlines),
          control: this.control,
          membership,
          log,
        }),
        this.gateway.debug,
      ],
    })
    const access = new MetricsAccess((key) => this.control.roleOf(key))
    const app = createApp(this.gateway, membership, access)
    const serve = toNodeHandler(app)
    this.server = new ClientServer({ keepAliveTimeout: KEEP_ALIVE_MS }, serve)
    this.server.on('checkContinue', (req, res) => {
      expectBody(req, res)
      void serve(req, res)
    })
    this.registry = proxyMetrics(this.gateway, health)
  }

  /**
   * Begins to serve: from the snapshot on disk at once, if there is one, and from the control plane's as soon as it comes.
   * @returns the address that it listens on
   * @throws SettingsError if it can't listen there
   */
  start(): Promise<string> {
    this.starting = this.begin()
    return this.starting
  }

  /** Refuses new requests, lets those in flight finish for as long as the settings allow, sends the last records, and stops. */
  async stop(): Promise<void> {
    await this.starting
    const { active } = this.gateway
    this.gateway.draining = true
    this.log.info({ inFlight: active.size }, 'draining')
    await this.membership.drain(this.drained())
    this.server.close()
    this.server.closeAllConnections()
    // Records are written when sockets have closed, which takes them a turn of the event loop.
    for (let i = 0; active.size > 0 && i < MOST_TURNS; i++) await delay(1)
    this.membership.leave()
    this.limitsUpkeep.stop()
    this.revocations?.stop()
    const { debug, tracing } = this.gateway
    await Promise.all([this.sender.finish(FLUSH_MS), debug.finish(FLUSH_MS), tracing?.stop()])
    this.subscription.stop()
    await this.following
    await this.file.close()
    this.gateway.deadlines.stop()
    this.redis?.close()
    this.limitsRedis?.close()
    this.cacheRedis?.close()
    await Promise.all([this.pools.destroy(), this.control.close(), this.membership.close()])
  }

  /** There is nothing beside this process that would have to end with it. */
  kill(): void {}

  /** Resolves when nothing is under way, or was cut off for being so for too long. */
  private async drained(): Promise<void> {
    const { active } = this.gateway
    const until = performance.now() + this.settings.MILLRACE_DRAIN_SECONDS * 1000
    while (active.size > 0 && performance.now() < until) await delay(50)
    if (active.size === 0) return
    this.log.warn({ cut: active.size }, 'requests were cut off: the time to drain is over')
    active.forEach(abandon)
    await delay(100)
  }

  private async begin(): Promise<string> {
    this.redis?.start()
    this.limitsRedis?.start()
    this.cacheRedis?.start()
    this.hints.listen(this.health)
    this.membership.join(this)
    this.gateway.tracing = await openTracing(this.settings, this.membership.identity, this.log)
    await this.gateway.configuration.restore()
    this.revocations?.start()
    this.limitsUpkeep.start()
    const url = await this.membership.open(this.server)
    this.following = this.subscription.run()
    this.sender.start()
    return url
  }

  /** Forgets stored answers, and what was asked for them. */
  purge(scope: PurgeScope, instructionId: string): Promise<number> {
    for (const endpoint of ENDPOINTS) endpoint.forget()
    return this.gateway.cache.purge(scope, instructionId)
  }

  report() {
    const { configuration, active, records, served } = this.gateway
    return {
      configRevision: configuration.current?.revision ?? 0,
      inFlight: active.size,
      requestsPerSecond: this.rate.of(served),
      recordsQueued: records.length,
      recordsDropped: records.dropped,
      health: this.health.report(),
      cache: this.gateway.cache.report(),
    }
  }

  readiness(): Readiness {
    const redis = [this.redis, this.limitsRedis, this.cacheRedis].filter((one) => one !== null)
    return readinessOf(this.gateway, this.link.current, redis)
  }

  metrics(): Promise<MetricsJson> {
    return this.registry.getMetricsAsJSON()
  }

  metricsText(): Promise<string> {
    return this.registry.metrics()
  }

  /** Said at once, to operators and to other proxies: both would otherwise wait for it. */
  private breakerChanged(provider: ProviderHealth): void {
    const { breaker, id } = provider
    this.log.warn({ provider: id }, breaker.openedAt === null ? 'breaker closed' : 'breaker open')
    this.hints.tell(provider)
    this.membership.report()
  }
}

function hintBuses(redis: Redis | null, { hints }: Membership): HintBus[] {
  return [redis && new RedisHints(redis), hints].filter((bus) => bus !== null)
}
