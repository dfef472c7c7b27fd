/** A worker's process; its primary starts it, see main.ts. */
import { endAfter, run } from './process.ts'
import { ProxyService } from './service.ts'
import { Deadlines } from './upstream/deadlines.ts'
import { PrimaryLink, WorkerMembership } from './workers/worker.ts'

await run(async (settings, log) => {
  const stopping = Promise.withResolvers<void>()
  const link = new PrimaryLink(new Deadlines(), stopping.resolve)
  // The primary decides for all. Ctrl-C reaches the workers too; whoever wants one worker to end says SIGTERM.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', stopping.resolve)
  const lost = (): void => {
    link.lost()
    stopping.resolve()
  }
  process.once('disconnect', lost)
  // It may have gone before this line was reached: then nothing more is heard of it.
  if (!process.connected) lost()

  const welcome = await Promise.race([link.welcome, link.over])
  if (!welcome) return
  const membership = new WorkerMembership(welcome, settings.MILLRACE_WORKERS, link)
  const service = new ProxyService(settings, membership, log.child({ worker: welcome.index }))
  await service.start()
  await stopping.promise
  endAfter(service.stop())
})
